"""What a transaction has written and not sent yet, and what it has seen of the store: a server is far away, and is asked
once and told once. Writers take turns, so what one of them has read stays as it was until it writes itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cmdb_server.store import tables
from cmdb_server.store.neo4j.entries import Entry, Shape, shape
from cmdb_server.store.port import Key, Row
from cmdb_server.store.tables import Table, picker

Values = list[object]
"""A row as a query gives it."""


OWNER = {tables.IDENTIFIER: "record", tables.TIE: "record", tables.RECORD: "parent"}
"""The columns that name the record a row belongs to, and without which it would not be."""


class Unsaved:
    """One table. ``rows``: what is to stand there; ``wanted``: what is to stand where nothing does; ``gone``: the keys
    to be removed; ``stored``: what the store itself holds, None for nothing; ``found``: columns -> value -> the keys
    that the store has there."""

    def __init__(self, table: Table, revision: int | None) -> None:
        """``revision``: keys that hold it are new, since no other transaction writes under it; None: this is not so."""
        self.rows: dict[Key, Entry] = {}
        self.wanted: dict[Key, Entry] = {}
        self.gone: set[Key] = set()
        self.stored: dict[Key, Values | None] = {}
        self.found: dict[tuple[str, ...], dict[Key, list[Key]]] = {}
        self._shape: Shape = shape(table)
        self._table = table
        self._revision = revision
        self._revision_at = table.key.index("revision") if "revision" in table.key else None
        self._entered: dict[tuple[str, ...], dict[Key, dict[Key, None]]] = {}

    # Writing ---------------------------------------------------------------------------------------------------------

    def put(self, key: Key, entry: Entry) -> None:
        self.wanted.pop(key, None)
        self.gone.discard(key)
        self._leave(key)
        self.rows[key] = entry
        for columns in self._entered:
            self._enter(columns, key, entry)

    def insert(self, key: Key, entry: Entry) -> None:
        if key in self.rows or key in self.wanted:
            return
        if key in self.gone or self.is_new(key):
            self.put(key, entry)
        elif key not in self.stored:
            self.wanted[key] = entry

    def delete(self, key: Key) -> None:
        self._leave(key)
        self.rows.pop(key, None)
        self.wanted.pop(key, None)
        if not self.is_new(key):
            self.gone.add(key)

    def is_new(self, key: Key) -> bool:
        """Whether the store is known to hold nothing under this key."""
        if key in self.stored:
            return self.stored[key] is None
        return self._revision_at is not None and key[self._revision_at] == self._revision

    def saved(self) -> None:
        """Everything was sent: what the store holds now has to be asked anew."""
        self._revision = None
        self.forget()
        for written in (self.rows, self.wanted, self.gone, self._entered):
            written.clear()

    def forget(self) -> None:
        """Let go of what was read: it can be asked again."""
        self.stored.clear()
        self.found.clear()

    def parted(self, owners: Unsaved | None = None) -> tuple[list[Entry], list[Entry]]:
        """The rows that are new to the store, and those that may be there. What belongs to one of ``owners`` that is new
        is new itself; were it not, the store would refuse it."""
        new: list[Entry] = []
        other: list[Entry] = []
        for key, entry in self.rows.items():
            (new if self.is_new(key) or self._has_new_owner(key, entry, owners) else other).append(entry)
        return new, other

    def _has_new_owner(self, key: Key, entry: Entry, owners: Unsaved | None) -> bool:
        if owners is None or key in self.stored:
            return False
        return owners.is_new((entry[self._table.position(OWNER[self._table]) + 1],))

    # Reading ---------------------------------------------------------------------------------------------------------

    def unasked(self, keys: Iterable[Key]) -> list[Key]:
        """Of these keys, those of which only the store can tell."""
        return [key for key in keys if key not in self.rows and key not in self.gone and not self._is_known(key)]

    def _is_known(self, key: Key) -> bool:
        return key in self.stored or self.is_new(key)

    def unsure(self) -> list[Key]:
        """The keys to be written of which it is not known whether the store has them."""
        return [key for key in (*self.rows, *self.wanted) if not self._is_known(key)]

    def learn(self, keys: Iterable[Key], rows: Iterable[Values]) -> None:
        """The store was asked for ``keys`` and gave ``rows``."""
        self.stored.update(dict.fromkeys(keys))
        self.stored.update((self._shape.key(row), row) for row in rows)
        for key in [key for key in self.wanted if key in self.stored]:
            entry = self.wanted.pop(key)
            if self.stored[key] is None:
                self.put(key, entry)

    def learn_found(self, columns: tuple[str, ...], values: Iterable[Key], rows: Iterable[Values]) -> None:
        """The store was asked who has one of ``values`` in ``columns``."""
        found = self.found.setdefault(columns, {})
        found.update((value, []) for value in values)
        key_of, value_of = self._shape.key, picker(self._table, columns)
        for row in rows:
            key = key_of(row)
            self.stored[key] = row
            found[value_of(row)].append(key)

    def get(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """The rows of keys that are all known."""
        told = ((key, self._values(key)) for key in keys)
        return {key: self._shape.row(values) for key, values in told if values is not None}

    def find(self, columns: tuple[str, ...], values: Iterable[Key]) -> Iterator[Row]:
        """The rows that have one of ``values``, in key order within each. Of each the store was asked."""
        stored, entered = self.found.get(columns, {}), self._by(columns)
        for value in values:
            keys = [key for key in stored.get(value, ()) if key not in self.rows and key not in self.gone]
            keys += entered.get(value, ())
            for key in sorted(keys) if len(keys) > 1 else keys:
                found = self._values(key)
                if found is not None:
                    yield self._shape.row(found)

    def _values(self, key: Key) -> Values | None:
        if (entry := self.rows.get(key)) is not None:
            return self._shape.values(entry)
        return None if key in self.gone else self.stored.get(key)

    def _by(self, columns: tuple[str, ...]) -> dict[Key, dict[Key, None]]:
        """Value -> the keys of the unsaved rows that have it."""
        if columns not in self._entered:
            self._entered[columns] = {}
            for key, entry in self.rows.items():
                self._enter(columns, key, entry)
        return self._entered[columns]

    def _enter(self, columns: tuple[str, ...], key: Key, entry: Entry) -> None:
        value = picker(self._table, columns)(self._shape.values(entry))
        if None not in value:
            self._entered[columns].setdefault(value, {})[key] = None

    def _leave(self, key: Key) -> None:
        """Of the indexes of what is unsaved; its entry is about to go."""
        if (entry := self.rows.get(key)) is None:
            return
        for columns, entered in self._entered.items():
            value = picker(self._table, columns)(self._shape.values(entry))
            if value in entered:
                entered[value].pop(key, None)
