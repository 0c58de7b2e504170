from __future__ import annotations

import pytest

from cmdb_server.store.port import Loadable
from tests.store_contract import StoreContract
from tests.store_rows import Opener

pytestmark = pytest.mark.neo4j


class TestContract(StoreContract):
    @pytest.fixture
    def opener(self, neo4j_opener: Opener) -> Opener:
        return neo4j_opener

    def empty(self, store: Loadable) -> None:
        from cmdb_server.store.neo4j import Neo4jStore
        from cmdb_server.store.neo4j.naming import STORE

        assert isinstance(store, Neo4jStore)
        store._execute(f"MATCH (n) WHERE NOT n:{STORE} DETACH DELETE n")
        store._execute(f"MATCH (store:{STORE}) SET store.revision = 0")
