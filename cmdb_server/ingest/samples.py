"""What was measured: kept as it was told, outside of the history, and found again by what it was measured of.

A sample names the observation it is of by its ref. Whose ref that is, is told by the content of the same report, which
is only looked into when somebody asks.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from cmdb_server.ingest.accepted import Accepted
from cmdb_server.ingest.decode import stored_observation
from cmdb_server.ingest.late import unpacked
from cmdb_server.ingest.sighting import unpack
from cmdb_server.model.ids import component_id
from cmdb_server.store.port import Reading, Row, Writing
from cmdb_server.store.tables import CONTENT, SAMPLE, SAMPLED, THING

S = {name: SAMPLED.position(name) for name, _ in SAMPLED.columns}
FEW, MANY = 4, 500
"""Rows read at once: most buckets hold few."""
Refs = dict[tuple[str, str], tuple[str, str]]
"""(ref, component's ref) -> (the thing's record, the component's record or "")."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One sample of one record, told in ``scope``. ``thing``: the record, or that of what it is a component of; ``component``: ``""`` for
    the thing itself. ``at``: the report's time, ms; ``told_at``: the sample's own, as told."""

    scope: str
    thing: str
    component: str
    name: str
    value: float
    unit: str
    kind: str
    at: int
    told_at: str | None


def enter(tx: Writing, accepted: Accepted) -> None:
    """Keep the samples of a report."""
    if not accepted.report.samples:
        return
    told = [[s.ref, s.component, s.name, s.value, s.unit, s.kind, s.at] for s in accepted.report.samples]
    values = msgspec.json.encode(told)
    mark = hashlib.blake2b(values, digest_size=16, key=accepted.digest.encode()).hexdigest()
    scope, part, at = accepted.origin.scope, accepted.report.scan.part, accepted.at
    tx.insert(SAMPLED, [(scope, at, part, mark, tx.revision, accepted.digest, zlib.compress(values, 1))])
    newest = tx.get(SAMPLE, [(scope, part)]).get((scope, part))
    if newest is None or newest[2:] < (at, mark):
        tx.put(SAMPLE, [(scope, part, at, mark)])


def measured(tx: Reading, rows: Iterable[Row], things: frozenset[str] | None = None) -> Iterator[Measured]:
    """The samples in rows of SAMPLED, those of some things' records alone if named. What is told twice counts once; a
    ref that nobody has is passed over."""
    told = list(rows)
    refs = {content: _refs(tx, content, things) for content in sorted({row[S["content"]] for row in told})}
    met: set[tuple[str, str, str, int, float]] = set()
    for row in sorted(told, key=_place):
        known, at = refs[row[S["content"]]], row[S["at"]]
        for ref, component, name, value, unit, kind, told_at in values_of(row):
            whose = known.get((ref, component))
            if whose is not None and (same := (*whose, name, at, value)) not in met:
                met.add(same)
                yield Measured(row[S["scope"]], *whose, name, float(value), unit, kind, at, told_at)


def _place(row: Row) -> tuple[Any, ...]:
    return row[: len(SAMPLED.key)]


def values_of(row: Row) -> list[list[Any]]:
    """The samples of a row of SAMPLED as they were told."""
    found: list[list[Any]] = msgspec.json.decode(zlib.decompress(row[S["values"]]))
    return found


def _refs(tx: Reading, content: str, things: frozenset[str] | None) -> Refs:
    row = tx.get(CONTENT, [(content,)]).get((content,))
    members = unpack(row[2]) if row is not None else {}
    wanted = {mark.hex(): record for mark, record in members.items() if things is None or record in things}
    found: Refs = {}
    for digest, body in tx.get(THING, [(mark,) for mark in wanted]).values():
        seen = stored_observation(unpacked(body))
        thing = wanted[digest]
        parts = {"": thing, seen.ref: thing}
        found[(seen.ref, "")] = (thing, "")
        for part in seen.components:
            record = component_id(parts[part.parent], part.class_, part.local_key)
            parts[part.ref] = record
            found[(seen.ref, part.ref)] = (thing, record)
    return found


def in_bucket(tx: Reading, scope: str, start: int, end: int) -> list[Row]:
    """The rows of SAMPLED of a scope with ``start <= at < end``, in order of time."""
    found: list[Row] = []
    after: tuple[Any, ...] = (scope, start - 1, 1 << 62, "")
    page = FEW
    while rows := tx.scan(SAMPLED, after, page):
        for row in rows:
            if row[S["scope"]] != scope or row[S["at"]] >= end:
                return found
            found.append(row)
        after, page = _place(rows[-1]), MANY
    return found
