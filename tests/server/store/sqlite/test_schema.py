from __future__ import annotations

import sqlite3

import pytest

from cmdb_server.store.sqlite import statements
from cmdb_server.store.sqlite.schema import create_all, quoted
from cmdb_server.store.tables import TABLES, Table


@pytest.fixture
def connection() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for _ in range(2):
        for statement in create_all(TABLES):
            connection.execute(statement)
    return connection


def test_names_may_be_words_of_sql() -> None:
    assert quoted('a"b') == '"a""b"'


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_way_to_find_rows_has_an_index(connection: sqlite3.Connection, table: Table) -> None:
    for columns in (table.key, *table.indexes):
        for width in range(1, len(columns) + 1):
            query = statements.find(table, columns[:width], 1)
            plan = connection.execute("EXPLAIN QUERY PLAN " + query, ["x"] * width).fetchall()
            details = [line[3] for line in plan]
            assert any(detail.startswith("SEARCH t USING") for detail in details), details
            assert not any(detail.startswith("SCAN t") for detail in details), details


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_pages_are_read_in_key_order_without_sorting(connection: sqlite3.Connection, table: Table) -> None:
    query = statements.scan(table, started=True)
    plan = connection.execute("EXPLAIN QUERY PLAN " + query, ["x"] * len(table.key) + [5]).fetchall()
    assert [line[3].split()[0] for line in plan] == ["SEARCH"]
