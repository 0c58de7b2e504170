"""One transaction's unit of work: rows read once, changed in memory, written at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_schemas.report import Component, Observation
from cmdb_server.ingest.batch import Batch, Held, Lane, Tie
from cmdb_server.store import tables
from cmdb_server.store.port import Key, Row, Writing
from cmdb_server.store.tables import Table
from tests.estate import Estate, minute
from tests.factories import host

T = TypeVar("T")
NESTED = Observation(
    "h", "server", "10.0.0.1", None, {"serial": ["CZ3411AB0C"]}, {"name": "h"},
    components=[
        Component("db", "database_instance", "pg"), Component("c", "database_catalog", "shop", parent="db"),
        Component("/", "file_system", "/"),
    ],
)  # fmt: skip


class Counted:
    """A transaction that counts what it is asked for."""

    def __init__(self, tx: Writing) -> None:
        self.tx, self.asked = tx, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tx, name)

    def get(self, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
        self.asked += 1
        return self.tx.get(table, keys)

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[Key]) -> list[Row]:
        self.asked += 1
        return self.tx.find(table, columns, values)


def within(estate: Estate, work: Callable[[Batch], T]) -> T:
    def run(tx: Writing) -> T:
        return work(Batch(Counted(tx), classes(), dict(relation_types()), minute(9)))  # type: ignore[arg-type]

    return estate.store.write(run)


def test_rows_are_what_they_were_read_from(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1", uses=[("10.0.0.2", 80)]))
    for kind, table in ((Held, tables.RECORD), (Lane, tables.LANE), (Tie, tables.TIE)):
        for row in estate.rows(table):
            assert kind(*row).row() == row  # type: ignore[call-arg]


def test_what_is_in_memory_is_not_asked_for_again(estate: Estate) -> None:
    estate.tell(0, NESTED)
    top = next(row[0] for row in estate.rows(tables.RECORD) if not row[7])

    def work(batch: Batch) -> tuple[list[str], int, int]:
        batch.load([top])
        below = [held.local_key for held in batch.descendants(top)]
        asked = batch.tx.asked  # type: ignore[attr-defined]
        batch.load([top]), batch.descendants(top)
        return below, asked, batch.tx.asked  # type: ignore[attr-defined]

    below, asked, again = within(estate, work)
    assert sorted(below) == ["/", "pg", "shop"]
    assert below.index("pg") < below.index("shop"), "parents first"
    assert again == asked


def test_a_record_was_seen_when_its_lane_was(estate: Estate) -> None:
    estate.tell(0, NESTED)
    estate.tell(5, NESTED)
    assert within(
        estate,
        lambda batch: {batch.seen_last(held) for row in batch.tx.scan(tables.RECORD) for held in [Held(*row)]},
    ) == {minute(5)}  # fmt: skip


def test_a_record_that_is_placed_anew_leaves_a_trace(estate: Estate) -> None:
    estate.tell(0, NESTED)
    top = next(row[0] for row in estate.rows(tables.RECORD) if not row[7])

    def work(batch: Batch) -> Batch:
        batch.load([top])
        batch.place(batch.records[top], top)
        assert not batch.members, "it is there already"
        batch.place(batch.records[top], "elsewhere")
        batch.place(batch.records[top], "at last")
        return batch

    batch = within(estate, work)
    assert batch.moved == {top: top}
    assert batch.stale_cis == {top, "elsewhere", "at last"}
    assert [ci for _, _, ci in batch.members] == ["elsewhere", "at last"]


def test_only_what_claims_ask_by_is_woken(estate: Estate) -> None:
    def work(batch: Batch) -> set[str]:
        for kind in ("serial", "address", "listens", "native_key"):
            batch.wake(kind, "x")
        return batch.woken

    assert within(estate, work) >= {"serial:x", "address:x", "native_key:x"}
    assert "listens:x" not in within(estate, work)


def test_flushing_writes_all_that_changed_and_nothing_else(estate: Estate) -> None:
    estate.tell(0, NESTED)
    before = estate.sizes()
    within(estate, lambda batch: batch.flush())
    assert estate.sizes() == before
    within(estate, lambda batch: (batch.fact("r", "a", 1, "x"), batch.changed("ci", "c"), batch.flush()))
    grown = {table: n - before[table] for table, n in estate.sizes().items() if n != before[table]}
    assert grown == {"fact": 1, "feed": 1}
