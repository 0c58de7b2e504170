"""The same promise on a real Neo4j, and both stores hold the same graph: any order, any repeats, one digest."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb_server.store.neo4j import Neo4jStore
from cmdb_server.store.neo4j.naming import STORE
from cmdb_server.store.neo4j.schema import clear
from cmdb_server.store.sqlite import SqliteStore
from tests.server.ingest.test_order import digest_after, reports
from tests.store_contract import Opener

pytestmark = [pytest.mark.neo4j, pytest.mark.slow]


def emptied(store: Neo4jStore) -> Neo4jStore:
    """Without its rows, with its schema."""
    clear(store._driver, store.database, f"MATCH (n) WHERE NOT n:{STORE}")
    store._execute(f"MATCH (store:{STORE}) SET store.revision = 0")
    return store


@pytest.fixture
def neo4j(neo4j_opener: Opener):
    store = neo4j_opener()
    yield store
    store.close()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=reports(), seed=st.integers(0, 2**32))
def test_any_order_gives_one_digest_on_both_stores(
    neo4j: Neo4jStore, tmp_path_factory: pytest.TempPathFactory, told: list[bytes], seed: int
) -> None:
    rng = random.Random(seed)
    shuffled = told + [body for body in told if rng.random() < 0.3]
    rng.shuffle(shuffled)
    embedded = SqliteStore(tmp_path_factory.mktemp("order") / "cmdb.db")
    expected = digest_after(embedded, told)
    assert digest_after(emptied(neo4j), shuffled) == expected
    assert digest_after(emptied(neo4j), told) == expected
    embedded.close()
