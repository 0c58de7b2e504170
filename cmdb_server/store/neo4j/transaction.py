"""``Reading`` and ``Writing`` on a Neo4j transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from neo4j import ManagedTransaction, Result

from cmdb_server.errors import Conflict, Invalid, StoreUnavailable
from cmdb_server.store.neo4j import queries, relations
from cmdb_server.store.neo4j.entries import Ancestors, entries, shape, way
from cmdb_server.store.neo4j.unsaved import OWNER, Unsaved, Values
from cmdb_server.store.neo4j.values import indexable, key_text, part_text, reader
from cmdb_server.store.port import Key, Row
from cmdb_server.store.tables import CI, RECORD, RELATION, Table, findable, forgettable, picker

BATCH = 10_000
"""Rows in one query."""
HELD = 100_000
"""Rows that a transaction keeps to itself before it sends them, and rows of a table that it remembers."""
AFTER = "\x02"
"""Comes after everything that goes on in a key."""


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


def as_keys(table: Table, columns: tuple[str, ...], keys: Iterable[Key]) -> list[Key]:
    """The keys, each once, without those that hold ``None`` and so equal nothing."""
    found = [key for key in dict.fromkeys(keys) if None not in key]
    if any(len(key) != len(columns) for key in found):
        raise Invalid(f"a key of {table.name} needs {len(columns)} columns")
    return found


class Neo4jReading:
    """Reads of one transaction."""

    def __init__(self, transaction: ManagedTransaction, revision: int) -> None:
        self._transaction = transaction
        self._over = False
        self.revision = revision

    def run(self, query: str, **parameters: Any) -> Result:
        if self._over:
            raise StoreUnavailable("this read of the store has ended")
        with accepted():
            return self._transaction.run(query, parameters)

    def collected(self, query: str, **parameters: Any) -> list[Values]:
        """The rows of a query that gives them in lists."""
        return list(chain.from_iterable(record[0] for record in self.run(query, **parameters)))

    def get(self, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
        read, key_of = shape(table).row, shape(table).key
        return {key_of(values): read(values) for values in self._get(table, as_keys(table, table.key, keys))}

    def _get(self, table: Table, keys: list[Key]) -> list[Values]:
        if table is RELATION:
            return relations.get(self, keys)
        parts = split([key_text(key) for key in keys])
        return [values for part in parts for values in self.collected(queries.get(table), keys=part)]

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[Key]) -> list[Row]:
        findable(table, columns)
        values = as_keys(table, columns, values)
        value_of, key_of = picker(table, columns), shape(table).key
        place = {value: number for number, value in enumerate(values)}
        found = self._find(table, columns, values)
        found.sort(key=lambda row: (place[value_of(row)], key_of(row)))
        return list(map(shape(table).row, found))

    def _find(self, table: Table, columns: tuple[str, ...], values: list[Key]) -> list[Values]:
        if table is RELATION:
            return relations.find(self, columns, values)
        if columns == table.key:
            return self._get(table, values)
        name, told = way(table, columns)
        if name not in columns:
            texts: list[Any] = [key_text(value if columns == told else (*value, "")) for value in values]
        else:
            texts = [indexable(value[0]) for value in values]
        parts = split(texts)
        return [row for part in parts for row in self.collected(queries.find(table, columns), values=part)]

    def scan(self, table: Table, after: Key | None = None, limit: int = 1000) -> list[Row]:
        read = shape(table).row
        if table is RELATION:
            return list(map(read, relations.scan(self, after, limit)))
        place = {} if after is None else {"after": key_text(after)}
        query = queries.scan(table, started=after is not None)
        return list(map(read, self.collected(query, limit=limit, **place)))

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[Row]:
        findable(table, (column,))
        if table is RELATION:
            query = relations.between(self, column)
            return self._streamed(table, query, low, high) if query else iter(())
        query = queries.between(table, column)
        if way(table, (column,))[0] == column:
            return self._streamed(table, query, low, high)
        return self._streamed(table, query, part_text(low) + AFTER, part_text(high) + AFTER)

    def _streamed(self, table: Table, query: str, low: Any, high: Any) -> Iterator[Row]:
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
    """``ancestors`` gives the classes above a class; ``kinds`` collects the relationship types that were written.
    ``careful``: rows of this revision may be there already."""

    def __init__(
        self, transaction: ManagedTransaction, revision: int, ancestors: Ancestors, *, careful: bool = False
    ) -> None:
        super().__init__(transaction, revision)
        self._ancestors = ancestors
        self._careful = careful
        self._tables: dict[Table, Unsaved] = {}
        self._held = 0
        self.kinds: set[str] = set()

    def _unsaved(self, table: Table) -> Unsaved:
        if table not in self._tables:
            self._tables[table] = Unsaved(table, None if self._careful else self.revision)
        return self._tables[table]

    def _reading(self, table: Table) -> Unsaved:
        """The same, about to be read."""
        self._check()
        unsaved = self._unsaved(table)
        if len(unsaved.stored) > HELD:
            unsaved.forget()
        return unsaved

    # Reading ---------------------------------------------------------------------------------------------------------

    def get(self, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
        keys, unsaved = as_keys(table, table.key, keys), self._reading(table)
        self._learn(table, unsaved.unasked(keys))
        return unsaved.get(keys)

    def _learn(self, table: Table, keys: list[Key]) -> None:
        """Ask the store for these keys."""
        asked = [key for key in keys if not self._has_new_end(key)] if table is RELATION else keys
        if keys:
            self._unsaved(table).learn(keys, self._get(table, asked) if asked else ())

    def _has_new_end(self, key: Key) -> bool:
        """A relation of a CI that the store does not know yet is none that it could know."""
        items = self._unsaved(CI)
        return items.is_new(key[:1]) or items.is_new(key[2:])

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[Key]) -> list[Row]:
        self._check()
        findable(table, columns)
        values = as_keys(table, columns, values)
        if columns == table.key:
            found = self.get(table, values)
            return [found[value] for value in values if value in found]
        unsaved = self._reading(table)
        self._learn(table, list(unsaved.wanted))
        asked = unsaved.found.get(columns, {})
        unasked = [value for value in values if value not in asked]
        if unasked:
            unsaved.learn_found(columns, unasked, self._find(table, columns, unasked))
        return list(unsaved.find(columns, values))

    def scan(self, table: Table, after: Key | None = None, limit: int = 1000) -> list[Row]:
        self._check()
        self.save(table)
        return super().scan(table, after, limit)

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[Row]:
        self._check()
        self.save(table)
        return super().between(table, column, low, high)

    def count(self, table: Table) -> int:
        self._check()
        self.save(table)
        return super().count(table)

    def _check(self) -> None:
        if self._over:
            raise StoreUnavailable("this read of the store has ended")

    # Writing ---------------------------------------------------------------------------------------------------------

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        self.store(table, rows, replace=False)

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        if table.kind in {"history", "log"}:
            raise Conflict(f"rows of {table.name} are never replaced; insert them")
        self.store(table, rows, replace=True)

    def store(self, table: Table, rows: Iterable[Row], replace: bool) -> None:
        self._check()
        unsaved = self._unsaved(table)
        write = unsaved.put if replace else unsaved.insert
        with accepted():
            for key, entry in entries(table, rows, self._ancestors):
                write(key, entry)
                self._held += 1
        if self._held > HELD:
            self.save_all()

    def delete(self, table: Table, keys: Iterable[Key]) -> None:
        if table.kind in {"history", "log"}:
            raise Conflict(f"rows of {table.name} are never removed")
        self._remove(table, keys)

    def forget_forever(self, table: Table, keys: Iterable[Key]) -> None:
        forgettable(table)
        self._remove(table, keys)

    def _remove(self, table: Table, keys: Iterable[Key]) -> None:
        self._check()
        keys = as_keys(table, table.key, keys)
        with accepted():
            if table is CI:
                self._delete_items(keys)
                return
            for key in keys:
                self._unsaved(table).delete(key)

    def _delete_items(self, keys: list[Key]) -> None:
        """At once: the server takes their relations along, those written before and none that come after."""
        if keys:
            self.save(CI)
            self.save(RELATION)
            self._run_all(queries.delete(CI), keys=[key_text(key) for key in keys])
            self._unsaved(CI).saved()
            self._unsaved(RELATION).saved()

    # Sending ---------------------------------------------------------------------------------------------------------

    def save_all(self) -> None:
        """Send all that was written."""
        self.save(RELATION)  # before the CIs are sent it is known which of them are new, and so their relations
        for table in sorted(self._tables, key=lambda table: table is RECORD):  # as with what belongs to records
            self.save(table)
        self._held = 0

    def save(self, table: Table) -> None:
        """Send what was written to a table."""
        unsaved = self._unsaved(table)
        if not (unsaved.rows or unsaved.wanted or unsaved.gone):
            return
        if table is RELATION:
            self._save_relations(unsaved)
        else:
            owners = self._unsaved(RECORD) if table in OWNER and not self._careful else None
            new, other = unsaved.parted(owners)
            self._run_all(queries.create(table), rows=new)
            self._run_all(queries.replace(table), rows=other)
            self._run_all(queries.insert(table), rows=list(unsaved.wanted.values()))
            self._run_all(queries.delete(table), keys=[key_text(key) for key in unsaved.gone])
        unsaved.saved()

    def _save_relations(self, unsaved: Unsaved) -> None:
        """People may have drawn relationships of the same type: so the rows are told from them first."""
        self._learn(RELATION, unsaved.unsure())
        self.save(CI)
        relations.delete(self, list(unsaved.gone))
        new, other = unsaved.parted()
        self.kinds |= relations.create(self, new)
        relations.replace(self, other)

    def _run_all(self, query: str, **values: list[Any]) -> None:
        ((name, told),) = values.items()
        for part in split(told):
            self.run(query, **{name: part}).consume()
