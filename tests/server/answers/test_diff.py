"""The difference of two times: nothing between equal ones, everything between unlike ones, each kind by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.answers.diff import Difference, DiffPage, Moment, diff
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.decisions import decide
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store import tables
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report

AGENT, VIEWER = Caller("agent-1", "admin"), Viewer("ann", "reader")
T0, T1, T2 = START + 10, START + 1010, START + 2010


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "cmdb.db")
    yield opened
    opened.close()


def take(store: SqliteStore, id_: str, at: int, *hosts: Any) -> None:
    ingest(store, report(id_, START + at, hosts, coverage={"host": "complete"}), AGENT, START + at + 1)


def between(store: SqliteStore, before: Moment, after: Moment, **asked: Any) -> DiffPage:
    return diff(store, VIEWER, before, after, **asked)


def servers(page: DiffPage) -> dict[str, Difference]:
    return {one.name: one for one in page.items if one.class_ == "server"}


@pytest.fixture
def lived(store: SqliteStore) -> SqliteStore:
    take(store, "r0", 0, host("kept", "10.0.0.1"), host("gone", "10.0.0.2"), host("other", "10.0.0.3", os_name="a"))
    take(store, "r1", 1000, host("kept", "10.0.0.1"), host("new", "10.0.0.4"), host("other", "10.0.0.3", os_name="b"))
    return store


def test_created_changed_and_ended(lived: SqliteStore) -> None:
    told = servers(between(lived, Moment(T0), Moment(T1), limit=1000))
    assert {name: one.change for name, one in told.items()} == {"new": "created", "gone": "ended", "other": "changed"}
    assert told["other"].values == {"os_name": ("a", "b")}


def test_backwards_is_the_reverse(lived: SqliteStore) -> None:
    told = servers(between(lived, Moment(T1), Moment(T0), limit=1000))
    assert {name: one.change for name, one in told.items()} == {
        "new": "removed",
        "gone": "returned",
        "other": "changed",
    }
    assert told["other"].values == {"os_name": ("b", "a")}


def test_the_same_moment_differs_in_nothing(lived: SqliteStore) -> None:
    page = between(lived, Moment(T1), Moment(T1))
    assert (page.items, page.counts, page.cursor) == ((), {}, None)


def test_known_later_is_another_difference_than_happened_later(lived: SqliteStore) -> None:
    told = servers(between(lived, Moment(T1, T0), Moment(T1, T1), limit=1000))
    assert set(told) == {"new", "gone", "other"}
    assert servers(between(lived, Moment(T0, T1), Moment(T0, T2))) == {}


def test_a_merge_says_into_what(lived: SqliteStore) -> None:
    rows = lived.read(lambda tx: tx.find(tables.CI, ("class",), [("server",)]))
    one, other = (row[0] for row in rows if row[2] in ("kept", "other"))
    decide(lived, "ann", "merge", {"sides": [[one], [other]]}, "", START + 1500)
    take(lived, "r2", 2000, host("kept", "10.0.0.1"), host("new", "10.0.0.4"))
    page = between(lived, Moment(T1, T1), Moment(T1, T2 + 1), change="merged", limit=1000)
    (merged,) = servers(page).values()
    assert {merged.id[0], merged.into} == {one, other}


def test_counts_are_of_all_and_pages_join(lived: SqliteStore) -> None:
    whole = between(lived, Moment(T0), Moment(T1), limit=1000)
    assert sum(whole.counts.values()) == len(whole.items) > 4
    found: list[Difference] = []
    cursor = None
    while True:
        page = between(lived, Moment(T0), Moment(T1), cursor=cursor, limit=2)
        assert page.counts == whole.counts
        found += page.items
        cursor = page.cursor
        if cursor is None:
            break
    assert tuple(found) == whole.items
    only = between(lived, Moment(T0), Moment(T1), change="created", class_="server")
    assert [one.name for one in only.items] == ["new"]
