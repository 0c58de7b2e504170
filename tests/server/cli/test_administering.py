from __future__ import annotations

import json

import httpx
import pytest

from cmdb_server.api.context import now_ms
from tests.factories import host, report
from tests.serving import Served


@pytest.fixture(scope="module")
def delivered(server: Served) -> None:
    body = report("r1", now_ms(), [host("web-1", "10.0.0.1")])
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    assert httpx.post(f"{server.url}/api/v1/reports", content=body, headers=headers).status_code < 300


@pytest.mark.usefixtures("delivered")
def test_agents_are_listed_retired_and_restored_and_who_did_it_is_told(cmdb) -> None:
    assert "agent-1" in cmdb("agents", "list").out
    shown = cmdb("agents", "show", "agent-1")
    assert "1 CIs that nobody else confirms" in shown.out and "10.0.0.0/24" in shown.out
    retired = cmdb("agents", "retire", "agent-1", "--reason", "replaced")
    assert retired.code == 0, retired.err
    assert json.loads(cmdb("agents", "list", "--json").out)[0]["retired"]["reason"] == "replaced"
    assert cmdb("agents", "retire", "agent-1", "--reason", "again").code == 1
    assert cmdb("agents", "restore", "agent-1").code == 0
    assert cmdb("agents", "show", "nobody").code == 5
    acts = json.loads(cmdb("audit", "--action", "agents", "--json").out)
    assert [act["action"] for act in acts] == ["agents.restore", "agents.retire"]
    assert "agents.retire" in cmdb("audit", "--thing", "agent-1").out
