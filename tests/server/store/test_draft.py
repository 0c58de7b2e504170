"""A draft answers as a write transaction does whose writes are never kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb_server.store import tables
from cmdb_server.store.draft import Draft
from cmdb_server.store.port import Row, Store, Writing
from cmdb_server.store.rollback import rolled_back
from cmdb_server.store.sqlite import SqliteStore
from tests.store_rows import row

Told = list[Any]
Work = tuple[str, list[Any]]

FEW = st.sampled_from("abc")
ENTRIES = st.builds(
    lambda kind, value, record: row(tables.IDENTIFIER, kind=kind, value=value, record=record), FEW, FEW, FEW
)
KEYS = st.tuples(FEW, FEW, FEW)
WORKS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(ENTRIES, max_size=3)),
        st.tuples(st.just("insert"), st.lists(ENTRIES, max_size=3)),
        st.tuples(st.just("delete"), st.lists(KEYS, max_size=3)),
        st.tuples(st.just("ask"), st.just([])),
    ),
    max_size=8,
)


def asked(tx: Writing) -> Told:
    """What it says to every kind of question."""
    table = tables.IDENTIFIER
    return [
        tx.get(table, [(a, b, c) for a in "abc" for b in "abc" for c in "abc"]),
        tx.find(table, ("kind",), [("c",), ("a",), ("a",)]),
        tx.find(table, ("kind", "value"), [("b", "a"), ("a", "c"), (None, "a")]),
        tx.find(table, ("record",), [("a",), ("no",), ("c",)]),
        *(tx.scan(table, after, limit) for after in (None, ("a", "c", "a")) for limit in (2, 5, 100)),
        tx.count(table),
    ]


def done(tx: Writing, works: list[Work]) -> Told:
    told = []
    for verb, what in works:
        if verb == "ask":
            told.append(asked(tx))
        else:
            getattr(tx, verb)(tables.IDENTIFIER, what)
    return [*told, asked(tx)]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(stored=st.lists(ENTRIES, max_size=6), works=WORKS)
def test_it_answers_as_a_transaction(
    tmp_path_factory: pytest.TempPathFactory, stored: list[Row], works: list[Work]
) -> None:
    store = SqliteStore(tmp_path_factory.mktemp("draft") / "cmdb.db")
    store.write(lambda tx: tx.put(tables.IDENTIFIER, stored))
    expected = rolled_back(store, lambda tx: done(tx, works))
    assert store.read(lambda tx: done(Draft(tx, tx.revision), works)) == expected
    assert store.read(lambda tx: tx.count(tables.IDENTIFIER)) == len({entry[:3] for entry in stored})
    store.close()


def drafted(store: Store, work: Callable[[Draft], Any], **more: Any) -> Any:
    return store.read(lambda tx: work(Draft(tx, tx.revision, **more)))


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = SqliteStore(tmp_path / "cmdb.db")
    opened.write(lambda tx: tx.put(tables.CI, [row(tables.CI, id=id_, name=id_) for id_ in "abc"]))
    opened.write(
        lambda tx: tx.put(tables.RELATION, [row(tables.RELATION, from_ci="a", type="t", to_ci=to) for to in "bc"])
    )
    yield opened
    opened.close()


def test_between_follows_what_is_written(store: Store) -> None:
    def work(draft: Draft) -> list[str]:
        draft.put(tables.CI, [row(tables.CI, id="d", revision=5), row(tables.CI, id="b", revision=9)])
        draft.delete(tables.CI, [("c",)])
        return [one[0] for one in draft.between(tables.CI, "revision", 0, 9)]

    stored = {one[0] for one in store.read(lambda tx: list(tx.between(tables.CI, "revision", 0, 9)))}
    assert drafted(store, work) == [*sorted(stored - {"b", "c"}), "d", "b"]


def test_with_a_ci_its_relations_go(store: Store) -> None:
    def work(draft: Draft) -> list[Row]:
        draft.delete(tables.CI, [("b",)])
        return draft.scan(tables.RELATION)

    assert [one[:3] for one in drafted(store, work)] == [("a", "t", "c")]


def test_a_table_may_begin_empty(store: Store) -> None:
    def work(draft: Draft) -> Told:
        draft.insert(tables.CI, [row(tables.CI, id="a", name="another")])
        return [
            draft.count(tables.CI), draft.get(tables.CI, [("a",), ("b",)])[("a",)][2], draft.scan(tables.RELATION),
            draft.find(tables.CI, ("name",), [("b",)]), list(draft.between(tables.CI, "revision", -1, 100)),
        ]  # fmt: skip

    told = drafted(store, work, empty=(tables.CI, tables.RELATION))
    assert told[:4] == [1, "another", [], []]
    assert [one[0] for one in told[4]] == ["a"]
