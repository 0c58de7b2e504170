"""A transaction on top of a read: what is written stays in memory, and is read there by whoever goes on from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from heapq import merge
from itertools import islice
from operator import itemgetter

from cmdb_server.store import tables
from cmdb_server.store.port import Key, Reading, Row
from cmdb_server.store.tables import Table, picker

PAGE = 20_000


class Draft:
    """Answers as a write transaction of a store does. ``empty``: tables of which it sees nothing but what it writes.

    With a CI that is deleted its relations go, as in a store."""

    def __init__(self, tx: Reading, revision: int, empty: Collection[Table] = ()) -> None:
        self.revision = revision
        self._tx, self._empty = tx, frozenset(empty)
        self._own: defaultdict[Table, dict[Key, Row | None]] = defaultdict(dict)
        self._ways: defaultdict[Table, dict[tuple[str, ...], defaultdict[Key, set[Key]]]] = defaultdict(dict)

    @property
    def base(self) -> int:
        """The revision of what it goes on from."""
        return self._tx.revision

    def changed(self, table: Table) -> set[Key]:
        """The keys of the rows that were written or deleted."""
        return set(self._own[table])

    def onto(self, tx: Reading) -> Draft:
        """The same on another reading of the same revision; what it went on from may have ended. To be read alone."""
        other = Draft(tx, self.revision, self._empty)
        other._own, other._ways = self._own, self._ways
        return other

    # Reading ---------------------------------------------------------------------------------------------------------

    def get(self, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
        own, wanted = self._own[table], list(keys)
        found = {key: row for key in wanted if (row := own.get(key)) is not None}
        asked = [key for key in wanted if key not in own]
        if asked and table not in self._empty:
            found |= self._tx.get(table, asked)
        return found

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[Key]) -> list[Row]:
        wanted = [value for value in dict.fromkeys(values) if None not in value]
        stored = self._tx.find(table, columns, wanted) if wanted and table not in self._empty else []
        return self._mixed(table, columns, wanted, stored) if self._own[table] else stored

    def scan(self, table: Table, after: Key | None = None, limit: int = 1000) -> list[Row]:
        return list(islice(self.rows(table, after, limit), limit))

    def rows(self, table: Table, after: Key | None = None, page: int = PAGE) -> Iterator[Row]:
        """All rows after ``after``, in order of their keys."""
        key_of, own = picker(table, table.key), self._own[table]
        if not own:
            return self._stored(table, after, page)
        mine = sorted((key, row) for key, row in own.items() if row is not None and (after is None or key > after))
        stored = ((key, row) for row in self._stored(table, after, page) if (key := key_of(row)) not in own)
        return (row for _, row in merge(mine, stored, key=itemgetter(0)))

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[Row]:
        order, key_of, own = picker(table, (column, *table.key)), picker(table, table.key), self._own[table]
        place = table.position(column)
        mine = [row for row in own.values() if row is not None and row[place] is not None and low < row[place] <= high]
        stored = self._tx.between(table, column, low, high) if table not in self._empty else ()
        return merge(sorted(mine, key=order), (row for row in stored if key_of(row) not in own), key=order)

    def count(self, table: Table) -> int:
        return sum(1 for _ in self.rows(table))

    # Writing ---------------------------------------------------------------------------------------------------------

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        key_of = picker(table, table.key)
        told: dict[Key, Row] = {}
        for row in rows:
            told.setdefault(key_of(row), row)
        there = self.get(table, told)
        self.put(table, [row for key, row in told.items() if key not in there])

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        key_of = picker(table, table.key)
        for row in rows:
            self._write(table, key_of(row), row)

    def delete(self, table: Table, keys: Iterable[Key]) -> None:
        gone = list(keys)
        if table is tables.CI:
            for column in ("from_ci", "to_ci"):
                self.delete(tables.RELATION, [row[:3] for row in self.find(tables.RELATION, (column,), gone)])
        for key in gone:
            self._write(table, key, None)

    def forget_forever(self, table: Table, keys: Iterable[Key]) -> None:
        self.delete(table, keys)

    # -----------------------------------------------------------------------------------------------------------------

    def _stored(self, table: Table, after: Key | None, page: int) -> Iterator[Row]:
        key_of, last = picker(table, table.key), after
        while table not in self._empty and (rows := self._tx.scan(table, last, page)):
            yield from rows
            last = key_of(rows[-1])

    def _mixed(self, table: Table, columns: tuple[str, ...], values: list[Key], stored: list[Row]) -> list[Row]:
        """Stored rows and own ones, in order of ``values`` and within each of their keys."""
        value_of, key_of, own = picker(table, columns), picker(table, table.key), self._own[table]
        way = self._way(table, columns)
        found: dict[Key, list[Row]] = {value: [] for value in values}
        for row in stored:
            if key_of(row) not in own:
                found[value_of(row)].append(row)
        for value, rows in found.items():
            if mine := way.get(value):
                rows += [told for key in mine if (told := own[key]) is not None]
                rows.sort(key=key_of)
        return [row for rows in found.values() for row in rows]

    def _way(self, table: Table, columns: tuple[str, ...]) -> defaultdict[Key, set[Key]]:
        """Value -> the keys of the own rows that have it."""
        ways = self._ways[table]
        if columns not in ways:
            way = ways[columns] = defaultdict(set)
            value_of = picker(table, columns)
            for key, row in self._own[table].items():
                if row is not None:
                    way[value_of(row)].add(key)
        return ways[columns]

    def _write(self, table: Table, key: Key, row: Row | None) -> None:
        own = self._own[table]
        old = own.get(key)
        own[key] = row
        for columns, way in self._ways[table].items():
            value_of = picker(table, columns)
            if old is not None:
                way[value_of(old)].discard(key)
            if row is not None:
                way[value_of(row)].add(key)
