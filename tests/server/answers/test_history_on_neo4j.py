"""The past on a real Neo4j is that of the embedded store."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store.neo4j import Neo4jStore
from tests.estate import ADMIN, minute
from tests.server.answers.test_history import NOW, Seen, histories, opened, past, present
from tests.server.ingest.test_order_on_neo4j import emptied
from tests.store_rows import Opener

pytestmark = [pytest.mark.neo4j, pytest.mark.slow]


@pytest.fixture
def neo4j(neo4j_opener: Opener) -> Iterator[Neo4jStore]:
    store = neo4j_opener()
    assert isinstance(store, Neo4jStore)
    yield store
    store.close()


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=histories(), seed=st.integers(0, 2**32))
def test_the_past_is_what_had_been_observed_and_told_by_then(
    neo4j: Neo4jStore, tmp_path_factory: pytest.TempPathFactory, told: list[tuple[int, bytes]], seed: int
) -> None:
    """As of each moment, what a store held that was told in order; as known at each, what this one held then."""
    embedded = opened(tmp_path_factory.mktemp("past"))
    observed: dict[int, Seen] = {}
    for at, body in told:
        ingest(embedded, body, ADMIN, NOW)
        observed[at] = present(embedded)
    random.Random(seed).shuffle(told)
    known: list[Seen] = []
    for number, (_, body) in enumerate(told):
        ingest(emptied(neo4j) if number == 0 else neo4j, body, ADMIN, NOW + number)
        known.append(present(neo4j))
    for at, expected in observed.items():
        assert past(neo4j, at=minute(at)) == expected
    for number, expected in enumerate(known):
        assert past(neo4j, known_at=NOW + number) == expected
    embedded.close()
