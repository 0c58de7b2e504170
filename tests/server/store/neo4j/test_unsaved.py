"""What a transaction keeps to itself, against a store that is a plain dict: it reads as if all had been written at once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from cmdb_server.store.neo4j.entries import shape
from cmdb_server.store.neo4j.unsaved import Unsaved
from cmdb_server.store.port import Key, Row
from cmdb_server.store.tables import FACT, IDENTIFIER, RECORD
from tests.store_rows import fact, row

KEYS = [(kind, value, record) for kind in "kl" for value in "vw" for record in "rst"]
VALUES = some.integers(0, 3)
STEPS = some.lists(
    some.one_of(
        some.tuples(some.sampled_from(("put", "insert")), some.sampled_from(KEYS), VALUES),
        some.tuples(
            some.sampled_from(("delete", "get", "find kind", "find record", "save", "forget")), some.sampled_from(KEYS)
        ),
    ),
    max_size=12,
)


class Plain:
    """The store, and a transaction that asks it and writes to it as the real one does."""

    def __init__(self, held: dict[Key, int]) -> None:
        self.stored = {key: identifier(key, at) for key, at in held.items()}
        self.unsaved = Unsaved(IDENTIFIER, None)

    def get(self, keys: list[Key]) -> dict[Key, Row]:
        self._learn(self.unsaved.unasked(keys))
        return self.unsaved.get(keys)

    def find(self, columns: tuple[str, ...], value: Key) -> list[Row]:
        self._learn(list(self.unsaved.wanted))
        if value not in self.unsaved.found.get(columns, {}):
            rows = [list(row) for row in self.stored.values() if tuple(row[place(c)] for c in columns) == value]
            self.unsaved.learn_found(columns, [value], rows)
        return list(self.unsaved.find(columns, [value]))

    def _learn(self, keys: list[Key]) -> None:
        self.unsaved.learn(keys, [list(self.stored[key]) for key in keys if key in self.stored])

    def save(self) -> None:
        new, other = self.unsaved.parted()
        for entry in (*new, *other):
            key = tuple(entry[1:4])
            assert entry in other or key not in self.stored
            self.stored[key] = read(entry)
        for key, entry in self.unsaved.wanted.items():
            self.stored.setdefault(key, read(entry))
        for key in self.unsaved.gone:
            self.stored.pop(key, None)
        self.unsaved.saved()


def identifier(key: Key, at: int) -> Row:
    return (*key, at, None)


def place(column: str) -> int:
    return IDENTIFIER.position(column)


def read(entry: list[Any]) -> Row:
    return shape(IDENTIFIER).row(shape(IDENTIFIER).values(entry))


@given(some.dictionaries(some.sampled_from(KEYS), VALUES, max_size=6), STEPS)
def test_it_reads_what_was_written(held: dict[Key, int], steps: list[Any]) -> None:
    plain, model = Plain(held), {key: identifier(key, at) for key, at in held.items()}
    for verb, key, *at in steps:
        if verb == "put":
            plain.unsaved.put(*shape(IDENTIFIER).entry(identifier(key, at[0])))
            model[key] = identifier(key, at[0])
        elif verb == "insert":
            plain.unsaved.insert(*shape(IDENTIFIER).entry(identifier(key, at[0])))
            model.setdefault(key, identifier(key, at[0]))
        elif verb == "delete":
            plain.unsaved.delete(key)
            model.pop(key, None)
        elif verb == "get":
            assert plain.get([key]) == {one: model[one] for one in [key] if one in model}
        elif verb in ("save", "forget"):
            plain.save() if verb == "save" else plain.unsaved.forget()
        else:
            columns: tuple[str, ...] = (verb.split()[1],) if verb.endswith("record") else ("kind", "value")
            value = tuple(key[place(column)] for column in columns)
            expected = [row for one, row in sorted(model.items()) if tuple(row[place(c)] for c in columns) == value]
            assert plain.find(columns, value) == expected
    plain.save()
    assert plain.stored == model


def test_rows_of_its_own_revision_are_new_until_they_are_sent() -> None:
    unsaved = Unsaved(FACT, 7)
    for revision in (6, 7):
        unsaved.insert(*shape(FACT).entry(fact("r", "a", 1, 1, revision=revision)))
    new, other = unsaved.parted()
    assert ([entry[4] for entry in new], other) == ([7], [])
    assert list(unsaved.wanted) == [("r", "a", 1, 6)]
    unsaved.saved()
    unsaved.insert(*shape(FACT).entry(fact("r", "a", 1, 1, revision=7)))
    assert list(unsaved.wanted) == [("r", "a", 1, 7)]


def test_what_belongs_to_a_new_record_is_new() -> None:
    records, borne = Unsaved(RECORD, 7), Unsaved(IDENTIFIER, 7)
    records.learn([("new",), ("old",)], [list(row(RECORD, id="old"))])
    for record in ("new", "old", "unknown"):
        borne.put(*shape(IDENTIFIER).entry(identifier(("k", "v", record), 1)))
    borne.learn([("k", "v", "old")], [])
    new, other = borne.parted(records)
    assert [entry[3] for entry in new] == ["new", "old"]
    assert [entry[3] for entry in other] == ["unknown"]
