"""What readings and writings do with rows on their way; all they promise is in ``tests/store_contract.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmdb_server.errors import Invalid
from cmdb_server.store.port import Writing
from cmdb_server.store.sqlite import SqliteStore, statements
from cmdb_server.store.sqlite.transaction import batches, encoded, json_positions, key_of
from cmdb_server.store.tables import CI, DECISION, FACT, RELATION, TABLES, THING, Table

ITEM = ("one", "server", "web", None, 0, {"cpus": 4}, 1, None, 0)
OTHER = ("two", "server", "db", None, 0, None, 1, None, 0)
BETWEEN = ("one", "depends_on", "two", None, 1, 1.0, 0, 1, 1)


def test_keys_are_tuples_however_many_columns_they_have() -> None:
    assert key_of(CI)(ITEM) == ("one",)
    assert key_of(RELATION)(BETWEEN) == ("one", "depends_on", "two")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_only_columns_of_plain_values_become_text(table: Table) -> None:
    row = tuple({"a": [1, None]} if kind == "json" else kind for _, kind in table.columns)
    [stored] = encoded(table, [row])
    assert stored == tuple('{"a":[1,null]}' if kind == "json" else kind for _, kind in table.columns)
    assert json_positions(table) == tuple(n for n, (_, kind) in enumerate(table.columns) if kind == "json")


def test_nothing_is_stored_as_null_and_not_as_its_text() -> None:
    [stored] = encoded(CI, [OTHER])
    assert stored[CI.position("attributes")] is None
    [decided] = encoded(DECISION, [("id", 1, "merge", None, "ann", 0, "", None)])
    assert decided[DECISION.position("body")] is None


def test_rows_without_plain_values_are_not_copied() -> None:
    rows = [("digest", b"body")]
    assert encoded(THING, rows) is rows


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (2, [8]), (9, [64]), (65, [256]), (257, [256, 1])])
def test_values_are_asked_for_in_few_sizes_of_statement(count: int, sizes: list[int]) -> None:
    asked = list(batches([(str(number), number) for number in range(count)], 2))
    assert [size for size, _ in asked] == sizes
    assert all(len(parameters) == 2 * size for size, parameters in asked)
    told = [part for _, parameters in asked for part in parameters if part is not None]
    assert told == [part for number in range(count) for part in (str(number), number)]
    assert set(sizes) <= set(statements.BATCHES)


def test_values_of_another_width_are_refused() -> None:
    with pytest.raises(Invalid, match="needs 2 columns"):
        list(batches([("a", 1), ("b",)], 2))


def test_a_removed_ci_is_no_longer_an_end_in_the_same_write(tmp_path: Path) -> None:
    """The ends that a write has seen are remembered, to look each up once only."""

    def work(writing: Writing) -> None:
        writing.put(CI, [ITEM, OTHER])
        writing.put(RELATION, [BETWEEN])
        writing.delete(CI, [("two",)])
        assert writing.count(RELATION) == 0
        with pytest.raises(Invalid, match="end is no CI: two"):
            writing.put(RELATION, [BETWEEN])

    store = SqliteStore(tmp_path / "cmdb.db")
    store.write(work)
    store.close()


def test_more_rows_than_are_fetched_at_once_are_streamed(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")
    rows = [(f"{number:05d}", "name", 0, 1, number) for number in range(2500)]
    store.write(lambda writing: writing.insert(FACT, rows))
    assert store.read(lambda reading: list(reading.between(FACT, "revision", 0, 1))) == rows
    store.close()
