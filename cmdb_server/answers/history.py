"""The graph as it was, and as it was known.

``at``: facts and presence observed by then. ``known_at``: everything recorded by then, identity included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.life import Life
from cmdb_server.errors import NotFound
from cmdb_server.ingest import deadlines
from cmdb_server.ingest.batch import Batch, Held
from cmdb_server.ingest.past import state_at
from cmdb_server.ingest.reach import check_revision, check_time, revision_at
from cmdb_server.ingest.sighting import Kinds
from cmdb_server.model.precedence import Candidate
from cmdb_server.model.presence import Run, stage
from cmdb_server.store import tables
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Reading, Row

FOREVER = 1 << 62


@dataclass(frozen=True, slots=True)
class PastRecord:
    """A record as it was: the CI that held it, who observed it where, when, and what it said: attribute -> [value,
    since, confirmed | None]."""

    ci: str
    site: str
    run: Run
    source: str
    attributes: Mapping[str, Sequence[Any]]


@dataclass(slots=True)
class Graph:
    """CIs (rows of the CI table by id) and relations (rows of RELATION) at one time, as known at one revision."""

    cis: dict[str, Row]
    relations: list[Row]
    records: dict[str, PastRecord]
    revision: int
    kinds: Kinds
    _of: dict[str, list[tuple[str, PastRecord]]] = field(default_factory=dict)

    def resolve(self, id_: str) -> str:
        """The CI an id stood for. Raises NotFound."""
        if id_ in self.cis:
            return id_
        record = self.records.get(id_)
        if record is None or record.ci not in self.cis:
            raise NotFound(f"no CI {id_!r} then")
        return record.ci

    def members(self, ci: str) -> list[tuple[str, PastRecord]]:
        """The records that the CI was made of, each after its id."""
        if not self._of:
            for id_, record in self.records.items():
                self._of.setdefault(record.ci, []).append((id_, record))
        return self._of.get(ci, [])

    def words(self, ci: str, attribute: str) -> list[Candidate]:
        """What its sources said of an attribute: those that were still there, or else those that had gone."""
        told = []
        for id_, record in self.members(ci):
            if (entry := record.attributes.get(attribute)) is not None:
                confirmed = entry[2] if entry[2] is not None else record.run.last
                told.append((Candidate(record.source, id_, entry[0], entry[1], confirmed), record.run.ended_at))
        return [one for one, ended in told if ended is None] or [one for one, _ in told]

    def life(self, ci: str, now: int) -> Life:
        """How alive the CI was."""
        members = [record for _, record in self.members(ci)]
        class_ = self.kinds[self.cis[ci][1]]
        if not members:
            return Life("current", None, "")
        runs = [one.run for one in members]
        last = max(run.last for run in runs) if class_.discovered else None
        return Life(stage(runs, class_.life, now).stage, last, min(one.site for one in members))


def graph_at(
    tx: Reading, at: int | None, known_at: int | None, kinds: Kinds | None = None, *, revision: int | None = None
) -> Graph:
    """The graph at ``at`` (ms; None: now) as known at ``known_at`` (ms; None: now), or at ``revision``. Raises
    Forgotten for what retention dropped."""
    check_time(tx, at, "at")
    check_time(tx, known_at, "known_at")
    if revision is None:
        revision = tx.revision if known_at is None else revision_at(tx, known_at)
    check_revision(tx, revision)
    known = kinds or classes()
    now = at if at is not None else known_at if known_at is not None else _clock(tx)
    batch = state_at(tx, FOREVER if at is None else at, revision, known, now)
    past = batch.tx
    cis = {row[0]: row for row in past.scan(tables.CI, None, past.count(tables.CI))}
    relations = past.scan(tables.RELATION, None, past.count(tables.RELATION))
    records = {
        held.id: PastRecord(held.ci, held.site, _run(batch, held), held.source, held.attributes)
        for held in batch.records.values()
    }
    return Graph(cis, relations, records, revision, known)


def _run(batch: Batch, held: Held) -> Run:
    return Run(held.first_at, batch.seen_last(held), _ended(batch, held))


def _clock(tx: Reading) -> int:
    """The time that the present state is of."""
    return deadlines.clock(tx, (row[tables.LANE.position("observed_at")] for row in pages(tx, tables.LANE)))


def _ended(batch: Batch, held: Held) -> int | None:
    return min((one.ended_at for one in _lineage(batch, held) if one.ended_at is not None), default=None)


def _lineage(batch: Batch, held: Held) -> Iterator[Held]:
    """A component's record, then those of what it depends on."""
    yield held
    while held.parent:
        held = batch.records[held.parent]
        yield held
