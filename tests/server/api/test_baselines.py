from __future__ import annotations

from cmdb_server.api.context import now_ms
from tests.factories import host, report

PATH = "/api/v1/baselines"


def deliver(agent, id_, at, *hosts) -> None:
    body = report(id_, at, hosts)
    assert agent.post("/api/v1/reports", data=body, content_type="application/json").status_code == 200


def test_drift_is_what_happened_since_and_nothing_before(agent, as_role) -> None:
    ann, at = as_role("operator", subject="ann"), now_ms()
    deliver(agent, "r0", at - 9000, host("web-1", "10.0.0.1", os_name="a"), host("db-1", "10.0.0.2"))
    one, other = (ci["id"] for ci in ann.get("/api/v1/cis?class=server").json["items"])
    merged = {"verb": "merge", "sides": [[one], [other]], "reason": "x"}
    undo = ann.post("/api/v1/decisions", json=merged).json["id"]
    ann.post(f"/api/v1/decisions/{undo}/undo", json={"reason": "y"})
    made = ann.post(PATH, json={"name": "release 1", "note": "before"})
    assert made.status_code == 201 and made.json["subject"] == "ann"
    assert ann.get(f"{PATH}/release 1/drift").json["counts"] == []
    deliver(agent, "r1", now_ms(), host("web-1", "10.0.0.1", os_name="b"), host("db-1", "10.0.0.2"))
    told = ann.get(f"{PATH}/release 1/drift").json
    assert [(one["name"], one["change"]) for one in told["items"]] == [("web-1", "changed")]
    assert told["items"][0]["values"] == {"os_name": {"before": "a", "after": "b"}}
    assert ann.get(f"{PATH}/release 1/drift?change=ended").json["items"] == []


def test_what_was_told_later_of_then_is_drift(agent, as_role) -> None:
    ann, at = as_role("operator"), now_ms()
    deliver(agent, "r0", at - 9000, host("web-1", "10.0.0.1"))
    ann.post(PATH, json={"name": "b"})
    late = report("late", at - 5000, [host("db-1", "10.0.0.9")], target="10.0.0.9", sent=now_ms())
    agent.post("/api/v1/reports", data=late, content_type="application/json")
    told = ann.get(f"{PATH}/b/drift?class=server").json
    assert [(one["name"], one["change"]) for one in told["items"]] == [("db-1", "created")]


def test_refusals(as_role, reader) -> None:
    ann = as_role("operator")
    assert reader.post(PATH, json={"name": "x"}).status_code == 403
    assert ann.post(PATH, json={"name": "x"}).status_code == 201
    assert ann.post(PATH, json={"name": "x"}).status_code == 409
    for name in ("", "a/b", ".."):
        assert ann.post(PATH, json={"name": name}).status_code == 422
    assert [one["name"] for one in reader.get(PATH).json] == ["x"]
    assert reader.get(f"{PATH}/x").json["name"] == "x"
    assert reader.get(f"{PATH}/nothing").status_code == 404
    assert reader.get(f"{PATH}/nothing/drift").status_code == 404
    assert reader.delete(f"{PATH}/x").status_code == 403
    assert ann.delete(f"{PATH}/x").status_code == 200 and reader.get(PATH).json == []
