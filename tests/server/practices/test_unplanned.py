"""What was found is kept once, and how far was looked with it."""

from __future__ import annotations

from collections.abc import Callable

from cmdb_server.practices import kept_rows, unplanned
from cmdb_server.practices.unplanned import Sighting
from cmdb_server.store.port import Store
from tests.factories import START

FOUND = Sighting("unplanned: web changed", START, START + 1, [{"change": "changed"}], 0, [])


def test_who_comes_too_late_keeps_nothing(store: Store) -> None:
    assert unplanned.reached(store) is None
    assert unplanned.keep(store, None, 5, None, START) is None and unplanned.reached(store) == 5
    first = unplanned.keep(store, 5, 9, FOUND, START)
    assert first is not None and first.number == "UNP0000001" and unplanned.reached(store) == 9
    assert unplanned.keep(store, 5, 9, FOUND, START) is None
    assert len(kept_rows.every(store, "unplanned_change").items) == 1


def test_what_is_no_more_is_not_named(store: Store, ci: Callable[..., str]) -> None:
    web = ci("web")
    made = unplanned.keep(store, None, 9, Sighting("x", START, START, [{"change": "ended"}], 3, [web, "gone"]), START)
    assert made is not None and made.cis == {"changed": (web,)} and made.body["more"] == 3


def test_a_revision_leads_to_what_was_kept_when_it_was_looked_at(store: Store) -> None:
    assert store.read(lambda tx: unplanned.opened_of(tx, 3)) is None
    unplanned.keep(store, None, 5, None, START)
    for since, until, found in ((5, 9, FOUND), (9, 12, None), (12, 20, FOUND), (20, 21, FOUND), (21, 30, None)):
        unplanned.keep(store, since, until, found, START)
    kept_at = {revision: store.read(lambda tx, at=revision: unplanned.opened_of(tx, at)) for revision in range(4, 31)}
    numbers = {revision: int(one.number[3:]) for revision, one in kept_at.items() if one is not None}
    assert numbers == {
        **dict.fromkeys(range(6, 10), 1), **dict.fromkeys(range(13, 21), 2), 21: 3,
    }  # fmt: skip
