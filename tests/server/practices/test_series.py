"""Samples become the same series however and whenever they arrive and are folded."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_schemas.report import Sample
from cmdb_server.model.series import WIDTHS
from cmdb_server.practices import series
from cmdb_server.store import tables
from cmdb_server.store.bounds import SERIES, bound
from cmdb_server.store.port import Row
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import DAY, Estate, minute
from tests.factories import host

A = host("a", "10.0.0.1")
DAYS = {"raw": 3, "5min": 8, "1h": 90, "1d": 1100}
Told = tuple[int, float]


def tell(estate: Estate, at: float, value: float, *, now: float | None = None) -> None:
    measured = [Sample("a", "io", value, "By", "counter", "if:eth0"), Sample("a", "load", value)]
    estate.tell(at, A, now=now, id_=f"{at} {value}", samples=measured)


def fold(estate: Estate, limit: int = series.BATCH) -> None:
    while series.fold(estate.store, limit):
        pass


def buckets(estate: Estate) -> dict[str, list[tuple[Row, series.Cells]]]:
    return {
        name: [(row[:2], series.cells_of(row)) for row in estate.rows(table)] for name, table in series.TABLES.items()
    }


@contextmanager
def fresh() -> Iterator[Estate]:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "cmdb.db")
        yield Estate(store)
        store.close()


@pytest.fixture
def estate() -> Iterator[Estate]:
    with fresh() as made:
        yield made


@pytest.fixture
def other() -> Iterator[Estate]:
    """A second one, to compare with."""
    with fresh() as made:
        yield made


def outcome(told: Sequence[Told], every: int, limit: int) -> dict[str, list[tuple[Row, series.Cells]]]:
    """Of reports in this order, folded after every so many."""
    with fresh() as estate:
        estate.tell(-1, A, id_="first")
        for number, (at, value) in enumerate(told, 1):
            tell(estate, at, value, now=5000)
            if number % every == 0:
                fold(estate, limit)
        fold(estate, limit)
        return buckets(estate)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 9).map(float)), min_size=1, max_size=7),
    st.randoms(use_true_random=False), st.integers(1, 7), st.integers(1, 7),
)  # fmt: skip
def test_order_repeats_lateness_and_when_it_is_folded_do_not_matter(
    told: list[Told], random: object, every: int, limit: int
) -> None:
    shuffled = [*told, told[0]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert outcome(told, len(told), 500) == outcome(shuffled, every, limit)


def test_buckets_hold_what_was_measured(estate: Estate) -> None:
    for at, value in ((0, 10.0), (1, 14.0), (6, 2.0), (70, 5.0)):
        tell(estate, at, value)
    fold(estate)
    found = buckets(estate)
    assert {name: len(rows) for name, rows in found.items()} == {"5min": 3, "1h": 2, "1d": 1}
    ((_, day),) = found["1d"]
    of = {name: one for (_, name), one in day.items()}
    assert (of["load"].of.count, of["load"].of.sum, of["load"].of.min, of["load"].of.max) == (4, 31.0, 2.0, 14.0)
    assert (of["io"].of.increase, of["io"].kind, of["io"].unit) == (4 + 2 + 3, "counter", "By")


def test_a_long_silence_costs_nothing(estate: Estate) -> None:
    tell(estate, 0, 1.0)
    fold(estate)
    revision = estate.store.revision()
    assert series.fold(estate.store) == 0
    assert estate.store.revision() == revision, "nothing is written while there is nothing to fold"


def test_what_is_old_is_dropped_by_resolution_and_the_coarser_stays(estate: Estate) -> None:
    days = 1440
    for day in range(30):
        tell(estate, day * days, float(day))
    fold(estate)
    before = buckets(estate)
    assert series.thin(estate.store, DAYS, minute(30 * days)) == 28 + 23
    after = buckets(estate)
    assert len(estate.rows(tables.SAMPLED)) == 2
    assert len(after["5min"]) == 7
    assert (after["1h"], after["1d"]) == (before["1h"], before["1d"])
    assert series.thin(estate.store, DAYS, minute(30 * days)) == 0


def test_the_newest_samples_stay_however_old(estate: Estate) -> None:
    tell(estate, 0, 1.0)
    tell(estate, 1, 2.0)
    fold(estate)
    series.thin(estate.store, DAYS, minute(0) + 10 * DAY)
    (row,) = estate.rows(tables.SAMPLED)
    assert row[1] == minute(1)


def test_what_was_not_folded_is_not_dropped(estate: Estate) -> None:
    tell(estate, 0, 1.0)
    tell(estate, 1, 2.0)
    assert series.thin(estate.store, DAYS, minute(0) + 10 * DAY) == 0
    fold(estate)
    assert series.thin(estate.store, DAYS, minute(0) + 10 * DAY) == 2, "the older samples and the bucket of both"


def test_late_samples_are_added_where_the_finer_ones_are_gone(estate: Estate) -> None:
    for at in (0, 10, 20):
        tell(estate, at, float(at))
    fold(estate)
    for name, table in series.TABLES.items():
        assert WIDTHS[name]
        assert estate.rows(table)
    series.thin(estate.store, DAYS, minute(0) + 5 * DAY)
    tell(estate, 15, 15.0, now=5 * 1440)
    fold(estate)
    ((_, day),) = buckets(estate)["1d"]
    told = {name: one.of for (_, name), one in day.items()}["load"]
    assert (told.count, told.sum, told.max) == (4, 45.0, 20.0)


def test_small_batches_give_the_same(estate: Estate, other: Estate) -> None:
    for at in range(40):
        for one in (estate, other):
            tell(one, at * 400, float(at % 7))
    fold(estate)
    fold(other, 3)
    assert buckets(estate) == buckets(other)
    series.thin(estate.store, DAYS, minute(40 * 400))
    series.thin(other.store, DAYS, minute(40 * 400), 2)
    assert buckets(estate) == buckets(other)
    assert estate.rows(tables.SAMPLED) == other.rows(tables.SAMPLED)


@pytest.mark.neo4j
def test_the_same_on_neo4j(neo4j_opener: object, estate: Estate) -> None:
    on_neo4j = Estate(neo4j_opener())  # type: ignore[operator]
    for one in (estate, on_neo4j):
        for at in (0, 1, 70):
            tell(one, at, float(at))
        fold(one)
        series.thin(one.store, DAYS, minute(0) + 20 * DAY)
    assert buckets(estate) == buckets(on_neo4j)
    assert on_neo4j.store.read(lambda tx: bound(tx, SERIES)) == estate.store.read(lambda tx: bound(tx, SERIES))
    on_neo4j.store.close()
