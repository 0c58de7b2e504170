"""What a report would do, without doing it: it is taken in within a transaction that is then rolled back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cmdb_schemas.ci_class import CIClass, classes
from cmdb_server.ingest.accepted import Accepted, admitted
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest, take_in
from cmdb_server.ingest.tasks import OPEN
from cmdb_server.store import tables
from cmdb_server.store.port import Key, Row, Store, Writing
from cmdb_server.store.rollback import rolled_back
from cmdb_server.store.tables import Table

C = {name: tables.CI.position(name) for name, _ in tables.CI.columns}
WATCHED = (tables.CI, tables.RELATION, tables.TASK)

Change = Literal["create", "change", "end", "return", "merge", "remove"]


@dataclass(frozen=True, slots=True)
class CiChange:
    """What would happen to a CI. ``values``: attribute -> (now, then). ``into``: the CI that would hold the records of
    one that is merged. ``parent``: what it is, or was, a component of."""

    change: Change
    id: str
    class_: str
    name: str
    values: Mapping[str, tuple[Any, Any]]
    into: str | None = None
    parent: str = ""


@dataclass(frozen=True, slots=True)
class RelationChange:
    """What would happen to a relation."""

    change: Change
    from_ci: str
    type: str
    to_ci: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a report would do. ``revision``: the state it was tried on. ``tasks``: (kind, subject) of each task that it
    would open."""

    report: str
    revision: int
    unchanged: bool
    duplicate: bool
    observations: int
    cis: tuple[CiChange, ...]
    relations: tuple[RelationChange, ...]
    tasks: tuple[tuple[str, Any], ...]


def rehearse(
    store: Store, body: bytes, caller: Caller, now_ms: int, kinds: Mapping[str, CIClass] | None = None
) -> Rehearsal:
    """What taking in this report would do. Raises what ``ingest`` does."""
    accepted = admitted(body, caller, now_ms)
    told = rolled_back(store, lambda tx: _tried(tx, accepted, kinds or classes()))
    if told.duplicate:
        ingest(store, body, caller, now_ms, kinds)  # which of a repeat stores nothing, and refuses another content
    return told


def _tried(tx: Writing, accepted: Accepted, kinds: Mapping[str, CIClass]) -> Rehearsal:
    watched = Watched(tx)
    ack = take_in(watched, accepted, kinds)
    now = {table: tx.get(table, watched.before[table]) for table in (tables.RELATION, tables.TASK)}
    tasks = (
        (row[1], row[2])
        for key, row in sorted(now[tables.TASK].items())
        if row[4] == OPEN and ((old := watched.before[tables.TASK][key]) is None or old[4] != OPEN)
    )
    return Rehearsal(
        ack.report, tx.revision - 1, ack.unchanged, ack.duplicate, ack.observations,
        ci_changes(tx, watched),
        tuple(_relations(watched.before[tables.RELATION], now[tables.RELATION])), tuple(tasks),
    )  # fmt: skip


def ci_changes(tx: Writing, watched: Watched, *, every: bool = False) -> tuple[CiChange, ...]:
    """What became of the CIs that were written through ``watched``: of those alone whose values or life changed, or of
    ``every`` one."""
    before = watched.before[tables.CI]
    return tuple(_cis(before, tx.get(tables.CI, before), watched.homes, every))


class Watched:
    """A write transaction that remembers, of the tables watched, each row as it was before it was first touched.
    ``homes``: record -> the CI that it was placed in."""

    def __init__(self, tx: Writing) -> None:
        self._tx = tx
        self.revision = tx.revision
        self.before: dict[Table, dict[Key, Row | None]] = {table: {} for table in WATCHED}
        self.homes: dict[str, str] = {}
        self.get, self.find, self.scan = tx.get, tx.find, tx.scan
        self.between, self.count, self.forget_forever = tx.between, tx.count, tx.forget_forever

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        told = list(rows)
        if table is tables.MEMBERSHIP:
            self.homes.update({row[0]: row[2] for row in told})
        self._tx.insert(table, told)

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        told = list(rows)
        if table in self.before:
            places = [table.position(column) for column in table.key]
            self._remember(table, [tuple(row[place] for place in places) for row in told])
        self._tx.put(table, told)

    def delete(self, table: Table, keys: Iterable[Key]) -> None:
        gone = list(keys)
        if table is tables.CI:
            for column in ("from_ci", "to_ci"):
                self._remember(tables.RELATION, [row[:3] for row in self._tx.find(tables.RELATION, (column,), gone)])
        if table in self.before:
            self._remember(table, gone)
        self._tx.delete(table, gone)

    def _remember(self, table: Table, keys: Iterable[Key]) -> None:
        unknown = [key for key in keys if key not in self.before[table]]
        found = self._tx.get(table, unknown) if unknown else {}
        self.before[table].update({key: found.get(key) for key in unknown})


def _cis(
    before: Mapping[Key, Row | None], now: Mapping[Key, Row], homes: Mapping[str, str], every: bool
) -> Iterator[CiChange]:
    for key in sorted(before):
        old, new = before[key], now.get(key)
        if new is None:
            if old is not None:
                into = homes.get(old[0])
                yield CiChange("merge" if into else "remove", old[0], old[1], old[2], {}, into, old[C["parent"]])
            continue
        values = _values(_told(old), _told(new))
        change = _change(old, new)
        if change != "change" or values or every:
            yield CiChange(change, new[0], new[1], new[2], values, parent=new[C["parent"]])


def _change(old: Row | None, new: Row) -> Change:
    if old is None:
        return "create"
    if (old[C["ended_at"]] is None) == (new[C["ended_at"]] is None):
        return "change"
    return "end" if old[C["ended_at"]] is None else "return"


def _told(row: Row | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {**row[C["attributes"]], "@class": row[C["class"]], "@parent": row[C["parent"]] or None}


def _values(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = sorted(old.keys() | new.keys())
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def _relations(before: Mapping[Key, Row | None], now: Mapping[Key, Row]) -> Iterator[RelationChange]:
    for key in sorted(before):
        old, new = before[key], now.get(key)
        if old is None and new is not None:
            yield RelationChange("create", *key)
        elif old is not None and new is None:
            yield RelationChange("remove", *key)
        elif old is not None and new is not None and old[:-1] != new[:-1]:
            yield RelationChange("change", *key)
