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
