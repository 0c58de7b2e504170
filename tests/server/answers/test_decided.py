"""Decisions as they are listed: in effect, undone, and undone again."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmdb_server.answers.decided import decision, decisions
from cmdb_server.errors import NotFound
from cmdb_server.ingest.decisions import decide, undo
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "cmdb.db")


def test_what_undoes_may_be_undone_itself(store: SqliteStore) -> None:
    first = decide(store, "ann", "distrust", {"value": ["serial", "X1"]}, "a sticker", START)
    undoing = undo(store, "bob", first, "no sticker", START + 1)
    assert (decision(store, first).in_effect, decision(store, first).undone_by) == (False, undoing)
    again = undo(store, "ann", undoing, "a sticker it is", START + 2)
    assert (decision(store, first).in_effect, decision(store, first).undone_by) == (True, None)
    assert [one.id for one in decisions(store).items] == [again, undoing, first]
    assert [one.by for one in decisions(store).items] == ["ann", "bob", "ann"]


def test_an_unknown_decision(store: SqliteStore) -> None:
    with pytest.raises(NotFound):
        decision(store, "nothing")
