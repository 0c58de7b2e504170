from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from cmdb_server.store.port import Loadable
from cmdb_server.store.sqlite import SqliteStore
from tests.store_contract import StoreContract
from tests.store_rows import Opener


class TestContract(StoreContract):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Opener:
        return partial(SqliteStore, tmp_path / "cmdb.db")

    def empty(self, store: Loadable) -> None:
        assert isinstance(store, SqliteStore)
        with store._transaction() as connection:
            for table in store.schema.tables:
                connection.execute(f'DELETE FROM "{table.name}"')
            connection.execute("UPDATE meta SET revision = 0")
