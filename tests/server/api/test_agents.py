from __future__ import annotations

import json

from cmdb_server.api.context import now_ms
from cmdb_server.ingest.caller import Grant
from tests.factories import host, report


def deliver(client, id_: str) -> int:
    body = report(id_, now_ms(), [host("web-1", "10.0.0.1")])
    return client.post("/api/v1/reports", data=body, content_type="application/json").status_code


def test_an_agent_is_shown_retired_and_restored(as_role, admin) -> None:
    north = as_role("agent", Grant("agent-1"), "agent-1")
    assert deliver(north, "r1") == 202 or deliver(north, "r1") < 300
    (listed,) = admin.get("/api/v1/agents").json
    assert (listed["name"], listed["things"], listed["tokens"], listed["retired"]) == ("agent-1", 1, 1, None)
    assert len(admin.get("/api/v1/agents/agent-1").json["alone"]) == 1
    retired = admin.post("/api/v1/agents/agent-1/retirement", json={"reason": "replaced"})
    assert (retired.status_code, retired.json["agent"]["retired"]["by"]) == (201, "a admin")
    assert deliver(north, "r2") == 401
    grant = {"agent": "agent-1", "sites": ["*"], "sources": ["*"], "networks": []}
    assert admin.post("/api/v1/enrolment-codes", json=grant).status_code == 409
    assert admin.post("/api/v1/agents/agent-1/retirement", json={"reason": "again"}).status_code == 409
    assert admin.delete("/api/v1/agents/agent-1/retirement").json["agent"]["retired"] is None
    assert admin.post("/api/v1/enrolment-codes", json=grant).status_code == 201
    assert deliver(north, "r3") == 401, "a revoked token stays revoked"


def test_only_administrators_may_and_only_what_there_is(as_role, admin, reader) -> None:
    assert reader.get("/api/v1/agents").status_code == 403
    assert as_role("operator").post("/api/v1/agents/x/retirement", json={"reason": "?"}).status_code == 403
    assert admin.get("/api/v1/agents/nobody").status_code == 404
    assert admin.delete("/api/v1/agents/nobody/retirement").status_code == 404
    assert json.loads(admin.get("/api/v1/agents").data) == []
