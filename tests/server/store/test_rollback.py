"""What is rolled back has given its outcome and left nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmdb_server.errors import Invalid
from cmdb_server.store import tables
from cmdb_server.store.port import Writing
from cmdb_server.store.rollback import rolled_back
from cmdb_server.store.sqlite import SqliteStore


def test_the_outcome_comes_out_and_nothing_stays(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")

    def work(tx: Writing) -> int:
        tx.put(tables.TASK, [("t", "review", {}, tx.revision, "open")])
        return tx.count(tables.TASK)

    assert rolled_back(store, work) == 1
    assert (store.read(lambda tx: tx.count(tables.TASK)), store.revision()) == (0, 0)


def test_what_work_raises_comes_out(tmp_path: Path) -> None:
    def work(tx: Writing) -> None:
        raise Invalid("no")

    with pytest.raises(Invalid):
        rolled_back(SqliteStore(tmp_path / "cmdb.db"), work)
