from __future__ import annotations

import pytest

from cmdb_server.api.context import now_ms
from tests.factories import host, report

EXPORTS = "/api/v1/exports"


@pytest.mark.parametrize(
    ("format_", "media"),
    [("csv", "text/csv"), ("jsonl", "application/x-ndjson"), ("graphml", "application/graphml+xml")],
)
def test_a_selection_is_a_file(agent, reader, format_: str, media: str) -> None:
    hosts = [host("web-1", "10.0.0.1"), host("db-1", "10.0.0.2")]
    agent.post("/api/v1/reports", data=report("r1", now_ms(), hosts), content_type="application/json")
    answer = reader.get(EXPORTS, query_string={"format": format_, "select": 'name == "web-1"'})
    assert answer.status_code == 200 and answer.mimetype == media
    assert f'filename="cis.{format_}"' in answer.headers["Content-Disposition"]
    assert "web-1" in answer.text and "db-1" not in answer.text


def test_what_is_refused_is_refused_before_anything_is_sent(reader, agent, client) -> None:
    assert reader.get(EXPORTS, query_string={"format": "xls"}).status_code == 422
    refused = reader.get(EXPORTS, query_string={"format": "csv", "select": "nonsense == 1"})
    assert refused.status_code == 422 and refused.json["errors"][0]["column"] == 1
    assert agent.get(EXPORTS, query_string={"format": "csv"}).status_code == 403
    assert client.get(EXPORTS, query_string={"format": "csv"}).status_code == 401
