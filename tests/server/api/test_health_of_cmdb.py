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


def test_the_course(agent, reader, store) -> None:
    from cmdb_schemas.ci_class import classes
    from cmdb_server.answers.health import health
    from cmdb_server.answers.health_course import recorded
    from cmdb_server.answers.viewer import Viewer
    from cmdb_server.practices.health_course import keep

    assert {one["trend"] for one in reader.get(PATH).json["checks"]} == {None}
    now = now_ms()
    for back in (7_200_000, 3_600_000):
        told = health(store, Viewer("x", "admin", classes()), now_ms=now)
        keep(store, recorded(told, now - back))
        agent.post(
            "/api/v1/reports", data=report(f"r{back}", now, [host("a", "10.0.0.1")]), content_type="application/json"
        )
    checks = {one["check"]: one for one in reader.get(f"{PATH}/course").json["checks"]}
    assert [(one["failing"], one["of"]) for one in checks["no-owner"]["points"]] == [(0, 0), (1, 1)]
    assert checks["no-owner"]["trend"] == "worse"
    (one,) = reader.get(f"{PATH}/course", query_string={"check": "orphan", "since": "2020-01-01T00:00:00Z"}).json[
        "checks"
    ]
    assert len(one["points"]) == 2
    assert {one["check"]: one["trend"] for one in reader.get(PATH).json["checks"]}["no-owner"] == "worse"
    past = reader.get(PATH, query_string={"at": "2020-01-01T00:00:00Z"}).json
    assert {one["of"] for one in past["checks"]} == {0} and "contradiction" not in {
        one["check"] for one in past["checks"]
    }
    assert reader.get(f"{PATH}/course?check=nothing").status_code == 422
