"""How far something has got is one row."""

from __future__ import annotations

from pathlib import Path

from cmdb_server.store.bounds import HISTORY, Bound, advance, bound
from cmdb_server.store.sqlite import SqliteStore


def test_a_bound_is_at_the_beginning_until_it_is_advanced(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")
    assert store.read(lambda tx: bound(tx, HISTORY)) == Bound(HISTORY, 0, 0, {})
    to = Bound(HISTORY, 5, 7, {"by": "ann"})
    store.write(lambda tx: advance(tx, to))
    assert store.read(lambda tx: bound(tx, HISTORY)) == to
    assert store.read(lambda tx: bound(tx, "other")) == Bound("other")
    store.close()
