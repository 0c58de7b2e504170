"""Rows to put into a store, of every table, and texts that are code elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from cmdb_server.store.port import Loadable, Row, Writing
from cmdb_server.store.tables import (
    CI,
    FACT,
    RECORD,
    RELATION,
    TABLES,
    TASK,
    Table,
)

Opener = Callable[[], Loadable]
DEFAULTS: dict[str, Any] = {"text": "t", "integer": 1, "real": 1.0, "json": None, "blob": b""}
ROOT = Path(__file__).parents[1]
HOSTILE = (
    "' OR 1=1 --",
    '"}) DETACH DELETE n //',
    "`]-() RETURN 1",
    "$param {x: 1} \\u0041 \\",
    "<script>alert(1)</script>",
    "Grüße, 世界 🌍 \u202e\ufffd",
    "nul\x00inside",
    "\x01\x02\x03\x1f\x7f",
    " spaces  and\ttabs\r\n",
    "",
)
"""Texts that are code elsewhere, and are data here."""


def uid(name: object) -> str:
    return str(uuid5(UUID(int=7), str(name)))


def row(table: Table, **values: Any) -> Row:
    """A row with the columns named, the others plain."""
    unknown = values.keys() - {name for name, _ in table.columns}
    assert not unknown, unknown
    return tuple(values.get(name, DEFAULTS[kind]) for name, kind in table.columns)


def ci(key: object, /, **values: Any) -> Row:
    given = {
        "class": "server",
        "id": uid(key),
        "name": str(key),
        "parent": None,
        "attributes": {},
        "ended_at": None,
        "deleted": 0,
        **values,
    }
    return row(CI, **given)


def relation(near: object, kind: str, far: object, **values: Any) -> Row:
    return row(RELATION, **{"from_ci": uid(near), "type": kind, "to_ci": uid(far), "group": None, **values})


def fact(record: str, attribute: str, at: int, value: Any, revision: int = 1) -> Row:
    return row(FACT, record=record, attribute=attribute, at=at, revision=revision, value=value)


def write(store: Loadable, table: Table, *rows: Row) -> int:
    def work(writing: Writing) -> int:
        (writing.insert if table.kind in {"log", "history"} else writing.put)(table, rows)
        return writing.revision

    return store.write(work)


def everything(store: Loadable, table: Table) -> list[Row]:
    return store.read(lambda reading: reading.scan(table, None, 100_000))


def fill(store: Loadable) -> None:
    """A little of every table."""
    write(store, CI, ci("a", name="name of a", attributes={"b": [1, "x\x00"]}), ci("b"), ci("c", revision=2))
    write(store, RELATION, relation("a", "depends_on", "b", confidence=0.25), relation("b", "runs_on", "c"))

    def work(writing: Writing) -> None:
        for table in TABLES:
            if table is RELATION:
                continue
            blob = {name: bytes(range(200)) for name, kind in table.columns if kind == "blob"}
            rows = [
                row(table, **blob, **{table.key[0]: 5 if dict(table.columns)[table.key[0]] == "integer" else "five"})
            ]
            (writing.insert if table.kind in {"log", "history"} else writing.put)(table, rows)
        writing.put(TASK, [row(TASK, id=text, subject={"x": text}) for text in HOSTILE])
        writing.put(RECORD, [row(RECORD, id=str(n), attributes={"a": [n, 1, None]}) for n in range(6000)])

    store.write(work)


def write_some(opener: Opener, name: str, count: int) -> list[int]:
    """In another process."""
    store = opener()
    taken = [write(store, CI, ci(f"{name} {number}")) for number in range(count)]
    store.close()
    return taken
