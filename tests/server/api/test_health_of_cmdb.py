from __future__ import annotations

from cmdb_server.api.context import now_ms
from tests.factories import host, report

PATH = "/api/v1/cmdb-health"


def test_figures_and_the_list_behind(agent, reader) -> None:
    hosts = [host("web-1", "10.0.0.1"), host("db-1", "10.0.0.2", os_name="Debian")]
    agent.post("/api/v1/reports", data=report("r1", now_ms(), hosts), content_type="application/json")
    told = reader.get(PATH).json
    (figure,) = [one for one in told["figures"] if (one["check"], one["class"]) == ("no-owner", "server")]
    assert (figure["failing"], figure["of"], figure["owner"]) == (2, 2, "")
    (check,) = [one for one in told["checks"] if one["check"] == "no-owner"]
    assert check["failing"] == 2 and check["dimension"] == "completeness"
    asked = {"check": "missing-attribute", "class": "server", "owner": "", "limit": 1000}
    behind = reader.get(f"{PATH}/findings", query_string=asked).json["items"]
    assert {one["name"] for one in behind if one["detail"] == "os_name"} == {"web-1"}
    page = reader.get(f"{PATH}/findings", query_string={**asked, "limit": 1}).json
    rest = reader.get(f"{PATH}/findings", query_string={**asked, "cursor": page["next_cursor"]}).json
    assert page["items"] + rest["items"] == behind


def test_refusals(agent, reader) -> None:
    assert agent.get(PATH).status_code == 403
    assert reader.get(f"{PATH}/findings").status_code == 422
    assert reader.get(f"{PATH}/findings?check=nothing").status_code == 422
