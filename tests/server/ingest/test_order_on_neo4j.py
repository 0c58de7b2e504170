"""The same promise on a real Neo4j, and both stores hold the same graph: any order, any repeats, decisions amid them, one
digest."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.estate_reports import reports as estate_reports
from cmdb_server.store.neo4j import Neo4jStore, transaction
from cmdb_server.store.neo4j.naming import STORE
from cmdb_server.store.neo4j.schema import clear
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import outcome
from tests.server.ingest.test_cluster import Ruling, differing, estates, opened, rulings, told_amid, told_plainly
from tests.server.ingest.test_order import digest_after, reports
from tests.store_rows import Opener

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


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


@examples(25)
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


@examples(15)
@given(told=estates(), ruled=rulings(), rng=st.randoms(use_true_random=False))
def test_decisions_and_their_undoing_amid_reports_give_one_outcome_on_both_stores(
    neo4j: Neo4jStore, told: list[bytes], ruled: list[Ruling], rng: random.Random
) -> None:
    with opened() as embedded:
        records, standing = told_plainly(embedded, told, ruled)
        told_amid(emptied(neo4j), told, standing, records, rng)
        assert not differing(embedded.read(outcome), neo4j.read(outcome))


def test_a_transaction_that_can_keep_little_writes_the_same(
    neo4j: Neo4jStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends what it wrote and asks again for what it read, in the middle of its work."""
    told = list(estate_reports(100, round_=0)) + list(estate_reports(100, round_=1, changed=0.5))
    embedded = SqliteStore(tmp_path / "cmdb.db")
    expected = digest_after(embedded, told)
    embedded.close()
    monkeypatch.setattr(transaction, "HELD", 20)
    assert digest_after(neo4j, told) == expected
