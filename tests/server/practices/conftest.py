"""A store of each engine, and CIs that people entered into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from cmdb_server.ingest import declare
from cmdb_server.practices import guards
from cmdb_server.store.port import Store
from tests.factories import START


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


@pytest.fixture
def ci(store: Store) -> Callable[..., str]:
    """Enter a CI; gives its id."""

    def enter(name: str, class_: str = "server", **attributes: str) -> str:
        return declare.create(store, "ann", class_, {"name": name, **attributes}, now_ms=START).ci

    return enter


@pytest.fixture
def guards_aside() -> Iterator[None]:
    """The state machine without what practices refuse."""
    guards.know_all()
    kept = dict(guards._GUARDS)
    guards._GUARDS.clear()
    yield
    guards._GUARDS.clear()
    guards._GUARDS.update(kept)
