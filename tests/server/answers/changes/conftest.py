"""A shop in which changes are booked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import BookedShop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[BookedShop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield BookedShop(store)
    store.close()
