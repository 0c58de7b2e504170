from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from cmdb_server.api.context import now_ms
from cmdb_server.store.port import Store
from tests.factories import host, report


def test_what_is_told_is_prometheus_text_and_true(reader, agent, store: Store) -> None:
    hosts = [host("web-1", "10.0.0.1")]
    agent.post("/api/v1/reports", data=report("r1", now_ms(), hosts), content_type="application/json")
    answer = reader.get("/api/v1/metrics")
    assert answer.mimetype == "text/plain"
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["cmdb_store_rows", "ci"] == 2
    assert samples["cmdb_revision",] == samples["cmdb_durable_revision",] == store.revision()
    assert samples["cmdb_reports_total", "changed"] == 1
    assert samples["cmdb_http_requests_total", "POST", "/api/v1/reports", "200"] == 1


def test_an_agent_may_not_look(agent) -> None:
    assert agent.get("/api/v1/metrics").status_code == 403
