"""Single steps of migrations on a connection; whole migrations are in ``tests/server/store/test_migrations.py``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from cmdb_server.store.sqlite.evolution import SqliteEvolution
from cmdb_server.store.sqlite.schema import create_all
from tests.store_evolution import EXTRA, NEW, OLD


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in create_all((OLD,)):
        connection.execute(statement)
    connection.executemany("INSERT INTO note VALUES (?, ?)", [("a", "one"), ("b", None)])
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def test_a_new_column_holds_its_default_in_every_row(connection: sqlite3.Connection) -> None:
    evolution = SqliteEvolution(connection)
    evolution.add_column(NEW, "rank", 7)
    evolution.add_column(NEW, "tags", ["none"])
    found = connection.execute("SELECT id, text, rank, tags FROM note ORDER BY id").fetchall()
    assert found == [("a", "one", 7, '["none"]'), ("b", None, 7, '["none"]')]


def test_a_default_of_nothing_is_null(connection: sqlite3.Connection) -> None:
    SqliteEvolution(connection).add_column(NEW, "tags", None)
    assert connection.execute("SELECT DISTINCT tags FROM note").fetchall() == [(None,)]


def test_a_new_table_comes_with_its_indexes(connection: sqlite3.Connection) -> None:
    SqliteEvolution(connection).add_table(EXTRA)
    connection.execute("INSERT INTO extra VALUES ('x', 1)")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT INTO extra VALUES ('x', 1)")


def test_a_new_index_is_used(connection: sqlite3.Connection) -> None:
    evolution = SqliteEvolution(connection)
    evolution.add_column(NEW, "rank", 0)
    evolution.add_index(NEW, ("rank",))
    plan = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM note WHERE rank = 1").fetchall()
    assert "note_rank" in plan[0][3]


def test_rows_are_rewritten_in_the_order_their_table_declares(connection: sqlite3.Connection) -> None:
    """The file has them in the order in which they were added."""
    evolution = SqliteEvolution(connection)
    evolution.add_column(NEW, "rank", 0)
    evolution.add_column(NEW, "tags", None)
    evolution.rewrite(NEW, lambda row: (row[0], {"was": row[3]}, len(row[3] or ""), "changed"))
    found = connection.execute("SELECT id, tags, rank, text FROM note ORDER BY id").fetchall()
    assert found == [("a", '{"was":"one"}', 3, "changed"), ("b", '{"was":null}', 0, "changed")]


def test_all_of_it_is_undone_with_its_transaction(connection: sqlite3.Connection) -> None:
    evolution = SqliteEvolution(connection)
    evolution.add_column(NEW, "rank", 7)
    evolution.add_table(EXTRA)
    connection.execute("ROLLBACK")
    assert connection.execute("SELECT * FROM note ORDER BY id").fetchall() == [("a", "one"), ("b", None)]
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").fetchone() == (0,)
