"""``Reading`` and ``Writing`` on a Neo4j transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from neo4j import ManagedTransaction, Result

from cmdb_server.errors import Conflict, Invalid, StoreUnavailable
from cmdb_server.store.neo4j import queries, relations
from cmdb_server.store.neo4j.naming import class_label
from cmdb_server.store.neo4j.values import flattened, indexable, key_positions, key_text, properties, reader
from cmdb_server.store.port import Key, Row
from cmdb_server.store.tables import CI, RELATION, Table, findable, forgettable

BATCH = 10_000
"""Rows in one query."""
Ancestors = Callable[[str], Iterable[str]]


@contextmanager
def accepted() -> Iterator[None]:
    """Around what a caller's values go through: those that cannot be sent are ``Invalid``."""
    try:
        yield
    except (UnicodeEncodeError, OverflowError) as error:
        raise Invalid(f"a value cannot be stored: {error}") from error


def split(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]


def as_keys(table: Table, keys: Iterable[Key]) -> list[Key]:
    """The keys, each once, without those that hold ``None`` and so equal nothing."""
    width = len(table.key)
    found = [key for key in dict.fromkeys(keys) if None not in key]
    if any(len(key) != width for key in found):
        raise Invalid(f"a key of {table.name} needs {width} columns")
    return found


class Neo4jReading:
    """Reads of one transaction. ``kinds``: gives the relationship types there are."""

    def __init__(self, transaction: ManagedTransaction, revision: int) -> None:
        self._transaction = transaction
        self._over = False
        self.revision = revision

    def run(self, query: str, **parameters: Any) -> Result:
        if self._over:
            raise StoreUnavailable("this read of the store has ended")
        with accepted():
            return self._transaction.run(query, parameters)

    def rows(self, table: Table, query: str, **parameters: Any) -> list[Row]:
        read = reader(table)
        return [read(record.values()) for record in self.run(query, **parameters)]

    def get(self, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
        keys = as_keys(table, keys)
        rows: list[Row] = []
        if table is RELATION:
            rows = relations.get(self, keys)
        else:
            for part in split([key_text(key) for key in keys]):
                rows += self.rows(table, queries.get(table), keys=part)
        positions = key_positions(table)
        return {tuple(row[position] for position in positions): row for row in rows}

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[Key]) -> list[Row]:
        findable(table, columns)
        values = [value for value in dict.fromkeys(values) if None not in value]
        if any(len(value) != len(columns) for value in values):
            raise Invalid(f"each value needs {len(columns)} columns")
        rows: list[Row] = []
        for part in split(values):
            rows += self._find(table, columns, part)
        return rows

    def _find(self, table: Table, columns: tuple[str, ...], values: list[Key]) -> list[Row]:
        if table is RELATION:
            return relations.find(self, columns, values)
        if columns == table.key:
            found = self.get(table, values)
            return [found[value] for value in values if value in found]
        if columns == table.key[: len(columns)]:
            prefixes = [[number, key_text((*value, ""))] for number, value in enumerate(values)]
            return self.rows(table, queries.find_by_prefix(table), values=prefixes)
        numbered = [[number, *map(indexable, value)] for number, value in enumerate(values)]
        return self.rows(table, queries.find(table, columns), values=numbered)

    def scan(self, table: Table, after: Key | None = None, limit: int = 1000) -> list[Row]:
        if table is RELATION:
            return relations.scan(self, after, limit)
        if after is None:
            return self.rows(table, queries.scan(table, started=False), limit=limit)
        return self.rows(table, queries.scan(table, started=True), after=key_text(after), limit=limit)

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[Row]:
        findable(table, (column,))
        if table is RELATION:
            query = relations.between(self, column)
            return self._streamed(table, query, low, high) if query else iter(())
        return self._streamed(table, queries.between(table, column), low, high)

    def _streamed(self, table: Table, query: str, low: int, high: int) -> Iterator[Row]:
        read = reader(table)
        for record in self.run(query, low=low, high=high):
            yield read(record.values())
            if self._over:
                raise StoreUnavailable("this read of the store has ended")

    def count(self, table: Table) -> int:
        return int(self.run(queries.count(table)).single(strict=True)[0])

    def end(self) -> None:
        self._over = True


class Neo4jWriting(Neo4jReading):
    """``ancestors`` gives the classes above a class; ``kinds`` collects the relationship types that were written."""

    def __init__(self, transaction: ManagedTransaction, revision: int, ancestors: Ancestors) -> None:
        super().__init__(transaction, revision)
        self._ancestors = ancestors
        self.kinds: set[str] = set()

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        self.store(table, rows, replace=False)

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        if table.kind in {"history", "log"}:
            raise Conflict(f"rows of {table.name} are never replaced; insert them")
        self.store(table, rows, replace=True)

    def store(self, table: Table, rows: Iterable[Row], replace: bool) -> None:
        with accepted():
            if table is RELATION:
                self.kinds |= relations.store(self, list(rows), replace)
                return
            entry = self._item if table is CI else self._entry(table)
            for part in split([entry(row) for row in rows]):
                self.run(queries.store(table, replace), rows=part).consume()

    @staticmethod
    def _entry(table: Table) -> Callable[[Row], dict[str, Any]]:
        return lambda row: {"properties": properties(table, row)}

    def _item(self, row: Row) -> dict[str, Any]:
        own = properties(CI, row)
        attributes, name = row[CI.position("attributes")], row[CI.position("class")]
        if isinstance(attributes, dict):
            own = {**flattened(attributes), **own}
        labels = map(class_label, (name, *self._ancestors(name))) if name is not None else ()
        return {"properties": own, "labels": [label for label in labels if label]}

    def delete(self, table: Table, keys: Iterable[Key]) -> None:
        if table.kind in {"history", "log"}:
            raise Conflict(f"rows of {table.name} are never removed")
        self._remove(table, keys)

    def forget_forever(self, table: Table, keys: Iterable[Key]) -> None:
        forgettable(table)
        self._remove(table, keys)

    def _remove(self, table: Table, keys: Iterable[Key]) -> None:
        keys = as_keys(table, keys)
        with accepted():
            if table is RELATION:
                relations.delete(self, keys)
                return
            for part in split([key_text(key) for key in keys]):
                self.run(queries.delete(table), keys=part).consume()
