"""Who did what is told newest first, page by page, narrowed by whom, what, to what and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmdb_server.practices.audit import Wanted, acts, keep
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore

DONE = [
    (1, "eva", "decisions.decide", "d-1"), (2, "tom", "tokens.create", "t-1"), (3, "eva", "decisions.undo", "d-1"),
    (3, "eva", "cis.edit", "c-1"),
]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = SqliteStore(tmp_path / "cmdb.db")
    for at, subject, action, thing in DONE:
        keep(store, subject, "admin", action, thing, {"reason": "so"}, f"r{at}", now_ms=at)
    return store


@pytest.mark.parametrize(
    ("wanted", "times"),
    [
        (Wanted(), [3, 3, 2, 1]), (Wanted(subject="eva"), [3, 3, 1]), (Wanted(action="decisions"), [3, 1]),
        (Wanted(action="decisions.undo"), [3]), (Wanted(thing="d-1"), [3, 1]), (Wanted(since=2), [3, 3, 2]),
        (Wanted(until=2), [2, 1]), (Wanted(since=2, until=2), [2]), (Wanted(subject="nobody"), []),
    ],
)  # fmt: skip
def test_filters(store: Store, wanted: Wanted, times: list[int]) -> None:
    assert [act.at for act in acts(store, wanted).items] == times


def test_pages_continue_where_they_ended(store: Store) -> None:
    whole = acts(store, Wanted()).items
    found, cursor = list(acts(store, Wanted(), None, 1).items), acts(store, Wanted(), None, 1).cursor
    while cursor is not None:
        page = acts(store, Wanted(), cursor, 1)
        found, cursor = [*found, *page.items], page.cursor
    assert tuple(found) == whole
    assert (whole[-1].subject, whole[-1].detail, whole[-1].request) == ("eva", {"reason": "so"}, "r1")


@pytest.mark.parametrize("cursor", ["", "x", "-" + "9" * 40, "5.x", "-\u0663.x"])
def test_a_cursor_that_names_no_place_is_none_of_ours_and_does_no_harm(store: Store, cursor: str) -> None:
    assert acts(store, Wanted(), cursor).items == ()
