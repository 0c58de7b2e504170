"""Estates on an embedded store, and on each of both stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import Estate


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Estate(store)
    store.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Estate]:
    """A second one, to compare with."""
    store = SqliteStore(tmp_path / "other.db")
    yield Estate(store)
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def each_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """The embedded store, and a real Neo4j."""
    if request.param == "sqlite":
        store: Store = SqliteStore(tmp_path / "each.db")
    else:
        store = request.getfixturevalue("neo4j_opener")()
    yield store
    store.close()


@pytest.fixture
def either(each_store: Store) -> Estate:
    """On each of both stores."""
    return Estate(each_store)
