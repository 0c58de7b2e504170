"""What the questions about one CI have in common: times, limit, format and the name of the file."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.api.context import now_ms
from tests.factories import host, report, rfc3339


@pytest.fixture
def web(agent: Any, reader: Any) -> str:
    hosts = [host("web", "10.0.0.1", uses=[("10.0.0.2", 80)]), host("db", "10.0.0.2", listens=[80])]
    agent.post("/api/v1/reports", data=report("r1", now_ms(), hosts), content_type="application/json")
    found: str = reader.get("/api/v1/cis?class=server&name=web").json["items"][0]["id"]
    return found


@pytest.mark.parametrize("question", ["requires", "services", "single-points"])
def test_times_limit_and_format(reader: Any, web: str, question: str) -> None:
    path = f"/api/v1/cis/{web}/{question}"
    whole = reader.get(path).json
    assert whole["ci"]["id"] == web
    one = reader.get(path, query_string={"limit": 1}).json
    assert one["items"] == whole["items"][:1]
    assert len(one["items"]) + one["more"] == len(whole["items"]) + whole["more"]
    before = {"at": rfc3339(now_ms() - 86_400_000)}
    assert reader.get(path, query_string=before).status_code == 404, "it was not there yet"
    page = reader.get(path, query_string={"format": "markdown"})
    assert page.status_code == 200 and f'filename="{question}.md"' in page.headers["Content-Disposition"]
    assert reader.get(path, query_string={"limit": 0}).status_code == 422
