"""What people decided, as it stands in a transaction: every decision that no other one undid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cmdb_server.ingest.batch import Batch
from cmdb_server.model.decisions import Decision, in_force
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
        batch.ruled = standing(batch.tx)
    return batch.ruled


def standing(tx: Reading) -> Ruled:
    """The decisions in force."""
    rows = in_effect(_rows(tx))
    told = [row for row in rows if row[D["verb"]] in VERBS]
    tombs = [row for row in rows if row[D["verb"]] == TOMBSTONE]
    return Ruled(in_force(map(decision, told)), tuple(map(_tombstone, tombs)))


def _rows(tx: Reading) -> list[Row]:
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


def _tombstone(row: Row) -> Tombstone:
    body = row[D["body"]]
    records = frozenset(id_ for side in body["sides"] for id_ in side)
    return Tombstone(row[D["id"]], row[D["at"]], records, bool(body.get("hold_back")))
