"""A past state, computed by what computes the present, in tables that answer as a store's do."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.ingest.past import PastTables, pages, state_at
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row
from tests.estate import Estate, minute
from tests.factories import host
from tests.store_contract import row

ENTRIES = [row(tables.IDENTIFIER, kind=kind, value=value, record=r) for kind, value, r in ("bx2", "ax1", "ay1", "ax2")]


@pytest.fixture
def both(estate: Estate) -> tuple[Estate, PastTables]:
    """The same rows in a store and in memory."""
    estate.store.write(lambda tx: tx.put(tables.IDENTIFIER, ENTRIES))
    past = estate.store.read(lambda tx: PastTables(tx, tx.revision))
    past.put(tables.IDENTIFIER, ENTRIES)
    return estate, past


ASKED: dict[str, Any] = {
    "get": lambda tx: tx.get(tables.IDENTIFIER, [("a", "x", "1"), ("no", "no", "no")]),
    "find by the key's beginning": lambda tx: tx.find(tables.IDENTIFIER, ("kind", "value"), [("a", "x"), ("b", "x")]),
    "find by an index": lambda tx: tx.find(tables.IDENTIFIER, ("record",), [("2",), ("1",), ("2",)]),
    "find nothing": lambda tx: tx.find(tables.IDENTIFIER, ("record",), [(None,), ("9",)]),
    "scan": lambda tx: tx.scan(tables.IDENTIFIER, ("a", "x", "1"), 2),
    "scan from the start": lambda tx: tx.scan(tables.IDENTIFIER),
    "count": lambda tx: tx.count(tables.IDENTIFIER),
}


@pytest.mark.parametrize("what", ASKED)
def test_it_answers_as_the_store_does(both: tuple[Estate, PastTables], what: str) -> None:
    estate, past = both
    assert ASKED[what](past) == estate.store.read(ASKED[what])


def test_it_follows_what_is_written(both: tuple[Estate, PastTables]) -> None:
    _, past = both
    assert past.find(tables.IDENTIFIER, ("record",), [("1",)])
    past.delete(tables.IDENTIFIER, [("a", "x", "1"), ("a", "y", "1")])
    assert past.find(tables.IDENTIFIER, ("record",), [("1",)]) == []
    past.put(tables.IDENTIFIER, [row(tables.IDENTIFIER, kind="a", value="z", record="1")])
    assert len(past.find(tables.IDENTIFIER, ("record",), [("1",)])) == 1
    assert past.count(tables.IDENTIFIER) == 3


def test_nothing_of_it_reaches_the_store(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1", packages=["pkg:x"]))
    estate.tell(1, host("a", "10.0.0.1"))
    before = (estate.digest(), estate.sizes(), estate.store.revision())
    batch = estate.store.read(lambda tx: state_at(tx, minute(0), tx.revision, classes()))
    assert {ci[2] for ci in batch.tx.scan(tables.CI)} == {"a", "eth0", "pkg:x"}
    assert (estate.digest(), estate.sizes(), estate.store.revision()) == before


def test_pages_are_all_rows_in_order(estate: Estate) -> None:
    estate.store.write(lambda tx: tx.put(tables.TASK, [row(tables.TASK, id=f"{n:05}") for n in range(5_001)]))

    def read(tx: Reading) -> list[Row]:
        return list(pages(tx, tables.TASK))

    assert [one[0] for one in estate.store.read(read)] == [f"{n:05}" for n in range(5_001)]
