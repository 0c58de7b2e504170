"""What a revision came from."""

from __future__ import annotations

from pathlib import Path

from cmdb_server.answers.causes import Cause, causes
from cmdb_server.ingest import declare
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.decisions import decide
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report


def test_reports_entries_and_decisions(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")
    ingest(store, report("r1", START, [host("web", "10.0.0.1")]), Caller("agent-1", "admin"), START + 1)
    declare.create(store, "ann", "server", {"name": "db"}, now_ms=START + 2)
    id_ = decide(store, "bob", "distrust", {"value": ["serial", "X1"]}, "a sticker", START + 3)
    told = store.read(lambda tx: causes(tx, [1, 2, 3, 99]))
    assert told[1] == Cause(1, START + 1, "ssh", "agent-1", report="r1")
    assert (told[2].source, told[2].agent, told[2].subject) == ("manual", "", "ann")
    assert told[3] == Cause(3, START + 3, subject="bob", decision=id_, reason="a sticker")
    assert told[99] == Cause(99)
