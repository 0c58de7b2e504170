"""A made history of schemas, and what must have become of a store's rows at its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cmdb_server.store.migrations import Evolving, Migration, Schema
from cmdb_server.store.tables import Table

OLD = Table("note", "state", (("id", "text"), ("text", "text")), key=("id",))
NEW = Table(
    "note",
    "state",
    (("id", "text"), ("tags", "json"), ("rank", "integer"), ("text", "text")),
    key=("id",),
    indexes=(("rank",),),
)
EXTRA = Table("extra", "state", (("a", "text"), ("b", "integer")), key=("a", "b"))


def second(store: Evolving) -> None:
    store.add_column(NEW, "rank", 7)
    store.add_column(NEW, "tags", ["none"])
    store.add_index(NEW, ("rank",))


def third(store: Evolving) -> None:
    store.add_table(EXTRA)
    store.rewrite(NEW, lambda row: (row[0], row[1], len(row[3]), row[3]))


BEFORE = Schema(1, (OLD,), ())
AFTER = Schema(3, (NEW, EXTRA), (Migration(2, second), Migration(3, third)))


def evolve(opener: Callable[..., Any]) -> None:
    store = opener(schema=BEFORE)
    store.write(lambda writing: writing.put(OLD, [("a", "long text"), ("b", "short")]))
    store.close()
    for _ in range(2):
        store = opener(schema=AFTER)
        assert store.read(lambda reading: reading.scan(NEW)) == [
            ("a", ["none"], 9, "long text"),
            ("b", ["none"], 5, "short"),
        ]
        assert store.read(lambda reading: reading.find(NEW, ("rank",), [(5,)])) == [("b", ["none"], 5, "short")]
        store.close()
    store = opener(schema=AFTER)
    store.write(lambda writing: (writing.put(EXTRA, [("x", 1)]), writing.put(NEW, [("c", {"t": 1}, 0, None)])))
    assert store.read(lambda reading: (reading.scan(EXTRA), reading.count(NEW))) == ([("x", 1)], 3)
    assert store.revision() == 2
    store.close()
