from __future__ import annotations

from cmdb_server.api.context import now_ms
from tests.factories import host, report, rfc3339

PATH = "/api/v1/diff"


def test_two_times_over_the_api(agent, reader) -> None:
    at = now_ms()
    for n in range(2):
        hosts = [host("web-1", "10.0.0.1", os_name=f"os {n}"), *([host("db-1", "10.0.0.2")] if n else [])]
        body = report(f"r{n}", at - 2000 + n * 1000, hosts)
        assert agent.post("/api/v1/reports", data=body, content_type="application/json").status_code == 200
    asked = {"from": rfc3339(at - 1500), "to": rfc3339(at), "class": "server"}
    told = reader.get(PATH, query_string=asked).json
    assert {(one["name"], one["change"]) for one in told["items"]} == {("web-1", "changed"), ("db-1", "created")}
    (web,) = [one for one in told["items"] if one["name"] == "web-1"]
    assert web["values"] == {"os_name": {"before": "os 0", "after": "os 1"}}
    counts = {(one["class"], one["change"]): one["count"] for one in told["counts"]}
    assert counts[("server", "created")] == counts[("network_interface", "created")] == 1
    first = reader.get(PATH, query_string={**asked, "limit": 1}).json
    rest = reader.get(PATH, query_string={**asked, "limit": 1, "cursor": first["next_cursor"]}).json
    assert first["items"] + rest["items"] == told["items"] and rest["next_cursor"] is None


def test_refusals(agent, reader) -> None:
    assert reader.get(PATH).status_code == 422
    assert reader.get(PATH, query_string={"from": "yesterday"}).status_code == 422
    assert agent.get(PATH, query_string={"from": rfc3339(0)}).status_code == 403
