"""Migrations with a made history of schemas, on SQLite here and on Neo4j in ``neo4j/test_evolution.py``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from cmdb_server.errors import SettingsError
from cmdb_server.store.migrations import Schema
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import SCHEMA_VERSION
from tests.store_evolution import AFTER, BEFORE, evolve


def test_an_older_store_is_brought_forward(tmp_path: Path) -> None:
    evolve(partial(SqliteStore, tmp_path / "cmdb.db"))


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "cmdb.db", AFTER).close()
    with pytest.raises(SettingsError, match=r"has schema 3, this software knows 1: update"):
        SqliteStore(tmp_path / "cmdb.db", BEFORE)


def test_a_failed_migration_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "cmdb.db", BEFORE).close()

    def broken(store: object) -> None:
        AFTER.migrations[0].apply(store)  # type: ignore[arg-type]
        raise RuntimeError("power cut")

    failing = type(AFTER.migrations[0])(2, broken)
    with pytest.raises(RuntimeError, match="power cut"):
        SqliteStore(tmp_path / "cmdb.db", Schema(2, AFTER.tables, (failing,)))
    SqliteStore(tmp_path / "cmdb.db", BEFORE).close()
    SqliteStore(tmp_path / "cmdb.db", AFTER).close()


def test_a_gap_is_refused() -> None:
    with pytest.raises(SettingsError, match="no migration leads to 3"):
        Schema(3, AFTER.tables, AFTER.migrations[1:]).pending(1, "here")
    assert Schema().pending(SCHEMA_VERSION, "here") == []
