"""``Reading`` and ``Writing`` on one SQLite connection that is inside of a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from cmdb_server.errors import Conflict, Invalid, StoreUnavailable
from cmdb_server.store.port import Key, Row
from cmdb_server.store.sqlite import statements
from cmdb_server.store.sqlite.connection import accepted
from cmdb_server.store.tables import CI, RELATION, RELATION_TYPE, Table, findable, forgettable

FETCH = 1000
_encode = msgspec.json.Encoder().encode


@cache
def key_of(table: Table) -> Callable[[Row], Key]:
    """The key of a row of this table."""
    positions = [table.position(column) for column in table.key]
    if len(positions) == 1:
        only = positions[0]
        return lambda row: (row[only],)
    return itemgetter(*positions)


@cache
def json_positions(table: Table) -> tuple[int, ...]:
    return tuple(number for number, (_, kind) in enumerate(table.columns) if kind == "json")


def encoded(table: Table, rows: Iterable[Row]) -> Iterable[Row]:
    """The rows with plain values as JSON text; ``None`` stays NULL."""
    positions = json_positions(table)
    if not positions:
        return rows
    if len(positions) == 1:
        return _encoded_at(positions[0], rows)
    return _encoded_at_all(positions, rows)


def encoded_value(value: Any) -> str | None:
    return None if value is None else _encode(value).decode()


def _encoded_at(position: int, rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        yield (*row[:position], encoded_value(row[position]), *row[position + 1 :])


def _encoded_at_all(positions: tuple[int, ...], rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        values = list(row)
        for position in positions:
            values[position] = encoded_value(values[position])
        yield tuple(values)


def batches(values: list[Key], width: int) -> Iterator[tuple[int, list[Any]]]:
    """The values in (batch size, parameters), the last one filled up with NULL."""
    largest = statements.BATCHES[-1]
    for start in range(0, len(values), largest):
        part = values[start : start + largest]
        size = next(size for size in statements.BATCHES if size >= len(part))
        parameters = list(chain.from_iterable(part))
        if len(parameters) != len(part) * width:
            raise Invalid(f"each value needs {width} columns")
        yield size, parameters + [None] * ((size - len(part)) * width)


class SqliteReading:
    """A snapshot. Ends with its transaction; what it lent out (``between``) ends with it."""

    def __init__(self, connection: sqlite3.Connection, path: Path, revision: int) -> None:
        self._connection = connection
        self._path = path
        self._cursors: list[sqlite3.Cursor] = []
        self._over = False
        self.revision = revision

    def get(self, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
        key = key_of(table)
        return {key(row): row for row in self._matching(table, table.key, keys)}

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[Key]) -> list[Row]:
        findable(table, columns)
        return self._matching(table, columns, values)

    def _matching(
        self,
        table: Table,
        columns: tuple[str, ...],
        values: Iterable[Key],
        statement: Callable[[Table, tuple[str, ...], int], str] = statements.find,
    ) -> list[Row]:
        self._check()
        rows: list[Row] = []
        with accepted(self._path):
            for size, parameters in batches(list(dict.fromkeys(values)), len(columns)):
                rows += self._connection.execute(statement(table, columns, size), parameters)
        return rows

    def scan(self, table: Table, after: Key | None = None, limit: int = 1000) -> list[Row]:
        self._check()
        with accepted(self._path):
            statement = statements.scan(table, after is not None)
            return self._connection.execute(statement, (*(after or ()), limit)).fetchall()

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[Row]:
        findable(table, (column,))
        self._check()
        with accepted(self._path):
            cursor = self._connection.execute(statements.between(table, column), (low, high))
        self._cursors.append(cursor)
        return self._streamed(cursor)

    def _streamed(self, cursor: sqlite3.Cursor) -> Iterator[Row]:
        while True:
            self._check()
            with accepted(self._path):
                rows = cursor.fetchmany(FETCH)
            if not rows:
                return
            yield from rows

    def count(self, table: Table) -> int:
        self._check()
        with accepted(self._path):
            found: int = self._connection.execute(statements.count(table)).fetchone()[0]
            return found

    def _check(self) -> None:
        if self._over:
            raise StoreUnavailable("this read of the store has ended")

    def end(self) -> None:
        """Closes what is still open, so that the transaction can end."""
        self._over = True
        for cursor in self._cursors:
            cursor.close()


class SqliteWriting(SqliteReading):
    def __init__(self, connection: sqlite3.Connection, path: Path, revision: int) -> None:
        super().__init__(connection, path, revision)
        self._known: set[Any] = set()

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        self._store(statements.insert(table), table, rows)

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        if table.kind in {"history", "log"}:
            raise Conflict(f"rows of {table.name} are never replaced; insert them")
        self._store(statements.put(table), table, rows)

    def _store(self, statement: str, table: Table, rows: Iterable[Row]) -> None:
        self._check()
        rows = list(rows)
        if table is RELATION:
            self._check_relations(rows)
        elif table is CI:
            self._known.update(row[0] for row in rows)
        with accepted(self._path):
            self._connection.executemany(statement, encoded(table, rows))

    def _check_relations(self, rows: list[Row]) -> None:
        """A relation needs a type that is a name and both of its CIs, as in a graph store."""
        for kind in {row[1] for row in rows}:
            if not RELATION_TYPE.fullmatch(kind):
                raise Invalid(f"{kind!r} is no type of a relation")
        ends = {end for row in rows for end in (row[0], row[2])} - self._known
        if ends:
            found = self._matching(CI, CI.key, [(end,) for end in ends], statements.exist)
            self._known.update(end for (end,) in found)
            if missing := ends - self._known:
                raise Invalid(f"a relation's end is no CI: {min(map(str, missing))}")

    def delete(self, table: Table, keys: Iterable[Key]) -> None:
        if table.kind in {"history", "log"}:
            raise Conflict(f"rows of {table.name} are never removed")
        self._check()
        keys = list(keys)
        with accepted(self._path):
            if table is CI:
                self._known.difference_update(key[0] for key in keys)
                for column in ("from_ci", "to_ci"):
                    self._connection.executemany(statements.delete(RELATION, (column,)), keys)
            self._connection.executemany(statements.delete(table, table.key), keys)

    def forget_forever(self, table: Table, keys: Iterable[Key]) -> None:
        forgettable(table)
        self._check()
        with accepted(self._path):
            self._connection.executemany(statements.delete(table, table.key), list(keys))
