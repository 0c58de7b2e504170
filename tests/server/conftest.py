"""Estates on an embedded store, and on each of both stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Estate]:
    """On the embedded store, and on a real Neo4j."""
    if request.param == "sqlite":
        store = SqliteStore(tmp_path / "either.db")
    else:
        store = request.getfixturevalue("neo4j_opener")()
    yield Estate(store)
    store.close()
