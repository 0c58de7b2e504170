"""Many agents at once, on both stores: nothing is refused, nothing acknowledged is lost, one graph."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import concurrent_agents
from tests.neo4j_server import Neo4jServer


def test_agents_that_report_at_once_lose_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = concurrent_agents.run(tmp_path, agents=12, reports=3, warm=2)
    out = capsys.readouterr().out
    assert code == 0, out
    assert "all 39 acknowledged reports are there" in out


@pytest.mark.neo4j
def test_agents_that_report_at_once_lose_nothing_on_neo4j(
    neo4j_server: Neo4jServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = concurrent_agents.run(tmp_path, agents=12, reports=2, neo4j=neo4j_server, warm=2)
    out = capsys.readouterr().out
    assert code == 0, out
    assert "all 26 acknowledged reports are there" in out


def test_what_went_wrong_is_found(tmp_path: Path) -> None:
    """A report that the log does not have; updates that are not the last; another graph than the replay's."""
    store = concurrent_agents.SqliteStore(tmp_path / "cmdb.db")
    agent = concurrent_agents.Agent(1, "")
    for version in (1, 2):
        body = concurrent_agents.report(
            f"agent-1-{version}", concurrent_agents.now_ms(), agent.seen(version), agent="agent-1",
            target="10.1.1.0/24",
        )  # fmt: skip
        concurrent_agents.ingest(store, body, concurrent_agents.caller("agent-1"), concurrent_agents.now_ms())
        agent.bodies[f"agent-1-{version}"] = body
    concurrent_agents.check(store, [agent], tmp_path)
    agent.bodies["agent-1-3"] = body
    with pytest.raises(concurrent_agents.Wrong, match=r"3 reports were acknowledged, 2 are in the log"):
        concurrent_agents.check(store, [agent], tmp_path)
    del agent.bodies["agent-1-3"]
    row = store.read(lambda tx: tx.find(concurrent_agents.tables.CI, ("name",), [("agent-1-host-1",)]))[0]
    for os_version, message in (("1", "lost updates of agent-1"), ("2", "another one")):
        altered = (*row[:5], {**row[5], "os_version": os_version, "model": "x"}, *row[6:])
        store.write(lambda tx, altered=altered: tx.put(concurrent_agents.tables.CI, [altered]))  # type: ignore[misc]
        (tmp_path / "replay.db").unlink(missing_ok=True)
        with pytest.raises(concurrent_agents.Wrong, match=message):
            concurrent_agents.check(store, [agent], tmp_path)
    store.close()
