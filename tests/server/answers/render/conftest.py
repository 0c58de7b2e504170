"""The shop, and answers about it whose every text is hostile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.store.sqlite import SqliteStore
from tests.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()
