"""The statements, run on a table of their own as the store runs them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from cmdb_server.store.sqlite import statements
from cmdb_server.store.sqlite.schema import create_all
from cmdb_server.store.tables import Table

STOCK = Table(
    "order",
    "state",
    (("group", "text"), ("number", "integer"), ("colour", "text"), ("values", "json")),
    key=("group", "number"),
    indexes=(("colour",),),
)
"""Named by words of SQL, since a class or an attribute may be."""
TAGS = Table("tag", "state", (("id", "text"),), key=("id",))
ROWS = [("a", 1, "red", "[1]"), ("a", 2, "blue", None), ("b", 1, "red", "{}"), ("c", 3, None, None)]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    for statement in create_all((STOCK, TAGS)):
        connection.execute(statement)
    connection.executemany(statements.insert(STOCK), ROWS)
    yield connection
    connection.close()


def test_rows_come_in_the_order_of_the_values_and_then_of_the_key(connection: sqlite3.Connection) -> None:
    query = statements.find(STOCK, ("colour",), 8)
    asked = ["red", "blue", *[None] * 6]
    assert connection.execute(query, asked).fetchall() == [ROWS[0], ROWS[2], ROWS[1]]
    assert connection.execute(query, [*reversed(asked[:2]), *[None] * 6]).fetchall() == [ROWS[1], ROWS[0], ROWS[2]]


def test_what_fills_a_batch_up_finds_nothing(connection: sqlite3.Connection) -> None:
    """Not even the row whose colour is none."""
    assert connection.execute(statements.find(STOCK, ("colour",), 8), [None] * 8).fetchall() == []


@pytest.mark.parametrize("batch", statements.BATCHES)
def test_each_batch_takes_as_many_values_as_it_says(connection: sqlite3.Connection, batch: int) -> None:
    keys = [("a", 1), *[("none", number) for number in range(batch - 1)]]
    parameters = [part for key in keys for part in key]
    assert connection.execute(statements.find(STOCK, STOCK.key, batch), parameters).fetchall() == [ROWS[0]]
    assert connection.execute(statements.exist(STOCK, STOCK.key, batch), parameters).fetchall() == [("a", 1)]


def test_a_page_goes_on_after_a_compound_key(connection: sqlite3.Connection) -> None:
    assert connection.execute(statements.scan(STOCK, started=False), (2,)).fetchall() == ROWS[:2]
    assert connection.execute(statements.scan(STOCK, started=True), ("a", 1, 2)).fetchall() == ROWS[1:3]


def test_a_range_excludes_its_low_end_and_includes_its_high_one(connection: sqlite3.Connection) -> None:
    found = connection.execute(statements.between(STOCK, "number"), (1, 3)).fetchall()
    assert found == [ROWS[1], ROWS[3]]


def test_insert_leaves_what_is_there_and_put_replaces_it(connection: sqlite3.Connection) -> None:
    changed = ("a", 1, "green", "[2]")
    look = statements.find(STOCK, STOCK.key, 1)
    connection.execute(statements.insert(STOCK), changed)
    assert connection.execute(look, ("a", 1)).fetchall() == [ROWS[0]]
    connection.execute(statements.put(STOCK), changed)
    assert connection.execute(look, ("a", 1)).fetchall() == [changed]


def test_a_table_that_is_all_key_is_put_too(connection: sqlite3.Connection) -> None:
    for _ in range(2):
        connection.execute(statements.put(TAGS), ("x",))
    assert connection.execute(statements.count(TAGS)).fetchone() == (1,)


def test_delete_by_any_columns_and_all(connection: sqlite3.Connection) -> None:
    connection.execute(statements.delete(STOCK, ("colour",)), ("red",))
    assert connection.execute(statements.count(STOCK)).fetchone() == (2,)
    connection.execute(statements.clear(STOCK))
    assert connection.execute(statements.count(STOCK)).fetchone() == (0,)


def test_the_driver_is_told_which_columns_are_json() -> None:
    assert statements.columns_of(STOCK, "t.") == (
        't."group", t."number", t."colour", t."values" AS "values [cmdb_json]"'
    )
