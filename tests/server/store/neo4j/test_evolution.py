from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.errors import SettingsError
from tests.store_evolution import AFTER, BEFORE, evolve
from tests.store_rows import Opener

pytestmark = pytest.mark.neo4j


def test_an_older_store_is_brought_forward(neo4j_opener: Opener) -> None:
    evolve(neo4j_opener)


def test_a_newer_store_is_refused(neo4j_opener: Any) -> None:
    neo4j_opener(schema=AFTER).close()
    with pytest.raises(SettingsError, match=r"has schema 3, this software knows 1: update"):
        neo4j_opener(schema=BEFORE)


def test_an_interrupted_migration_goes_on(neo4j_opener: Any) -> None:
    store = neo4j_opener(schema=BEFORE)
    store.write(lambda writing: writing.put(BEFORE.tables[0], [("a", "text")]))
    store.close()

    def broken(evolving: Any) -> None:
        AFTER.migrations[0].apply(evolving)
        raise RuntimeError("power cut")

    failing = (type(AFTER.migrations[0])(2, broken), AFTER.migrations[1])
    with pytest.raises(RuntimeError, match="power cut"):
        neo4j_opener(schema=type(AFTER)(3, AFTER.tables, failing))
    store = neo4j_opener(schema=AFTER)
    assert store.read(lambda reading: reading.scan(AFTER.tables[0])) == [("a", ["none"], 4, "text")]
    store.close()
