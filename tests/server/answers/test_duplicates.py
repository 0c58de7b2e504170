from __future__ import annotations

from pathlib import Path

from cmdb_server.answers.duplicates import Duplicate, duplicates_in
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import CALLER
from tests.factories import START, host, report


def told(store: Store) -> list[Duplicate]:
    return store.read(lambda tx: list(duplicates_in(tx)))


def test_an_address_that_two_hold_now_is_told_and_one_that_was_left_is_not(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.sqlite")
    ingest(store, report("r1", START, [host("a", "10.0.0.1")], target="one"), CALLER, START)
    assert not told(store)
    ingest(store, report("r2", START, [host("b", "10.0.0.1")], target="two", source="snmp"), CALLER, START)
    (found,) = told(store)
    assert (found.site, found.address, len(found.cis)) == ("lab", "10.0.0.1", 2)
    ingest(store, report("r3", START + 1, [], target="two", source="snmp"), CALLER, START + 1)
    assert not told(store)
    store.close()
