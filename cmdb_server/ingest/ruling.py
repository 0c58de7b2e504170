"""What people decided, as it stands in a transaction: every decision that no other one undid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cmdb_server.ingest.batch import Batch, Held
from cmdb_server.model.decisions import Decision, in_force, pins
from cmdb_server.model.replacements import ATTRIBUTE as REPLACES
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row

VERBS = frozenset(("merge", "split", "distrust", "pin"))
TOMBSTONE, UNDO = "tombstone", "undo"
D = {name: tables.DECISION.position(name) for name, _ in tables.DECISION.columns}


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A CI deleted by hand at ``at`` (ms): hidden until one of its ``records`` is seen later; with ``hold_back``, until
    undone."""

    id: str
    at: int
    records: frozenset[str]
    hold_back: bool


@dataclass(frozen=True, slots=True)
class Ruled:
    """``decisions``: newest first."""

    decisions: tuple[Decision, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.decisions or self.tombstones)


def ruled(batch: Batch) -> Ruled:
    """The decisions in force, read once a transaction."""
    if batch.ruled is None:
        batch.ruled = in_transaction(batch.tx)
    return batch.ruled


def in_transaction(tx: Reading) -> Ruled:
    """The decisions in force."""
    standing = in_effect(rows(tx))
    told = [row for row in standing if row[D["verb"]] in VERBS]
    tombs = [row for row in standing if row[D["verb"]] == TOMBSTONE]
    return Ruled(in_force(map(decision, told)), tuple(map(_tombstone, tombs)))


def rows(tx: Reading) -> list[Row]:
    """All decisions ever made."""
    found: list[Row] = []
    page = tx.scan(tables.DECISION, None, 1000)
    while page:
        found += page
        page = tx.scan(tables.DECISION, (page[-1][D["id"]],), 1000) if len(page) == 1000 else []
    return found


def in_effect(rows: Iterable[Row]) -> list[Row]:
    """The rows that none in effect undoes. What undoes is a decision too, and may be undone."""
    gone: set[str] = set()
    kept = []
    for row in sorted(rows, key=lambda row: (row[D["revision"]], row[D["at"]], row[D["id"]]), reverse=True):
        if row[D["id"]] in gone:
            continue
        kept.append(row)
        if row[D["undoes"]]:
            gone.add(row[D["undoes"]])
    return kept


def decision(row: Row) -> Decision:
    """A row of DECISION with one of the four verbs."""
    body = row[D["body"]]
    value = body.get("value")
    return Decision(
        id=row[D["id"]], verb=row[D["verb"]], at=row[D["at"]],
        sides=tuple(tuple(side) for side in body.get("sides", ())), value=(value[0], value[1]) if value else None,
        attribute=body.get("attribute", ""), pinned=body.get("pinned"),
    )  # fmt: skip


def named(row: Row) -> tuple[str, ...]:
    """The records that a row of DECISION names, the one of what was replaced among them."""
    body = row[D["body"]]
    replaced = (body["pinned"],) if body.get("attribute") == REPLACES else ()
    return (*(id_ for side in body.get("sides", ()) for id_ in side), *replaced)


def _tombstone(row: Row) -> Tombstone:
    body = row[D["body"]]
    records = frozenset(id_ for side in body["sides"] for id_ in side)
    return Tombstone(row[D["id"]], row[D["at"]], records, bool(body.get("hold_back")))


# What decisions say of CIs ---------------------------------------------------------------------------------------------


def pinned(batch: Batch, members: Iterable[Held]) -> dict[str, Any]:
    """attribute -> the value that people pinned, of a CI with these records."""
    told = ruled(batch).decisions
    if not any(decision.verb == "pin" for decision in told):
        return {}
    found = pins(told, frozenset(held.id for held in members))
    return {name: found[name].pinned for name in sorted(found)}


def hidden(batch: Batch, members: Sequence[Held]) -> int | None:
    """Since when people have a CI with these records deleted, or one that it depends on, ms. Each of its sightings is
    looked at while the next one may bring it back."""
    tombstones = ruled(batch).tombstones
    if not tombstones:
        return None
    lineages = [list(_lineage(batch, held)) for held in members]
    found = [at for level in zip(*lineages, strict=False) for at in _deleted(batch, tombstones, level)]
    return min(found, default=None)


def _lineage(batch: Batch, held: Held) -> Iterator[str]:
    """The CIs of a record and of all it depends on, nearest first."""
    yield held.ci
    while held.parent:
        batch.load((held.parent,))
        held = batch.records[held.parent]
        yield held.ci


def _deleted(batch: Batch, tombstones: Iterable[Tombstone], cis: Iterable[str]) -> Iterator[int]:
    for ci in set(cis):
        members: list[Held] | None = None
        for tombstone in tombstones:
            batch.load(tombstone.records)
            if not any(id_ in batch.records and batch.records[id_].ci == ci for id_ in tombstone.records):
                continue
            members = batch.of_cis([ci])[ci] if members is None else members
            if tombstone.hold_back or not _seen_since(batch, members, tombstone.at):
                yield tombstone.at


def _seen_since(batch: Batch, members: Sequence[Held], at: int) -> bool:
    tops = [batch.top(held) for held in members]
    batch.load_lanes(tops)
    if any(batch.seen_last(held) > at for held in members):
        return True
    for held in tops:
        if held.ended_at is None:
            batch.contest(held)
    return False
