from __future__ import annotations

from cmdb_server.api.context import now_ms
from tests.delivered import bodies, deliver
from tests.factories import host, report, rfc3339
from tests.situations import BOX, OTHER, SOFTWARE, box, of, ssh


def test_a_cis_past_by_kind_and_page(agent, reader) -> None:
    at = now_ms()
    for n in range(3):
        body = report(f"r{n}", at + n, [host("web-1", "10.0.0.1", os_name=f"os {n}")])
        assert agent.post("/api/v1/reports", data=body, content_type="application/json").status_code == 200
    (web,) = reader.get("/api/v1/cis?class=server").json["items"]
    path = f"/api/v1/cis/{web['id']}/timeline"
    told = reader.get(f"{path}?kind=attribute").json
    values = [one["value"] for one in told["items"] if one["name"] == "os_name"]
    assert values == ["os 2", "os 1", "os 0"]
    assert told["items"][0]["cause"]["agent"] == "agent-1" and told["ci"] == web["id"]
    first = reader.get(f"{path}?kind=attribute&limit=2").json
    second = reader.get(path, query_string={"kind": "attribute", "limit": 2, "cursor": first["next_cursor"]}).json
    assert first["items"] + second["items"] == told["items"][:4]
    then = reader.get(path, query_string={"kind": "attribute", "at": rfc3339(at + 1)}).json["items"]
    assert [one["value"] for one in then if one["name"] == "os_name"] == ["os 1", "os 0"]
    tag = reader.get(path).headers["ETag"]
    assert reader.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_refusals(agent, reader) -> None:
    path = "/api/v1/cis/00000000-0000-0000-0000-000000000000/timeline"
    assert reader.get(path).status_code == 404
    assert reader.get(f"{path}?kind=nothing").status_code == 422
    assert agent.get(path).status_code == 403


def test_what_befell_a_ci_with_the_evidence_before_and_after(store, reader) -> None:
    deliver(store, bodies([ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, *SOFTWARE)}))]))
    (ci,) = reader.get("/api/v1/cis?class=computer").json["items"]
    (event,) = reader.get(f"/api/v1/cis/{ci['id']}/timeline?kind=event").json["items"]
    assert (event["kind"], event["name"], event["cause"]["report"]) == ("event", "reinstalled", "r1")
    assert event["before"].keys() == event["value"].keys() == set(SOFTWARE)
    assert event["value"]["machine_id"] == OTHER["machine_id"]
