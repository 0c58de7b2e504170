"""A baseline is a name for a time and a revision."""

from __future__ import annotations

import pytest

from cmdb_server.errors import Conflict, Invalid, NotFound
from cmdb_server.practices import baselines
from cmdb_server.practices.baselines import Baseline
from cmdb_server.store.port import Store
from tests.factories import START


def test_made_listed_found_and_forgotten(store: Store) -> None:
    made = baselines.make(store, "release 1", "ann", "before the move", None, now_ms=START)
    assert made == Baseline("release 1", START, store.revision(), "ann", START, "before the move")
    past = baselines.make(store, "a", "ann", "", START - 5, now_ms=START)
    assert baselines.every(store) == [past, made]
    assert baselines.one(store, "release 1") == made
    assert baselines.remove(store, "release 1") == made
    with pytest.raises(NotFound):
        baselines.one(store, "release 1")
    with pytest.raises(NotFound):
        baselines.remove(store, "release 1")


def test_a_name_is_taken_once_and_the_future_is_nobodys(store: Store) -> None:
    baselines.make(store, "x", "ann", "", None, now_ms=START)
    with pytest.raises(Conflict):
        baselines.make(store, "x", "bob", "", None, now_ms=START + 1)
    with pytest.raises(Invalid):
        baselines.make(store, "y", "bob", "", START + 2, now_ms=START + 1)
