"""The graph as it was, and as it was known.

``at``: facts and presence observed by then. ``known_at``: everything recorded by then, identity included.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.life import Life
from cmdb_server.errors import NotFound
from cmdb_server.ingest import ruling
from cmdb_server.ingest.batch import Batch, Held
from cmdb_server.ingest.past import state_at
from cmdb_server.ingest.sighting import Kinds
from cmdb_server.model.presence import Run, stage
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row

FOREVER = 1 << 62


@dataclass(frozen=True, slots=True)
class PastRecord:
    """A record as it was: the CI that held it, where it was observed, and when."""

    ci: str
    site: str
    run: Run


@dataclass(slots=True)
class Graph:
    """CIs (rows of the CI table by id) and relations (rows of RELATION) at one time, as known at one revision."""

    cis: dict[str, Row]
    relations: list[Row]
    records: dict[str, PastRecord]
    revision: int
    kinds: Kinds
    _of: dict[str, list[PastRecord]] = field(default_factory=dict)

    def resolve(self, id_: str) -> str:
        """The CI an id stood for. Raises NotFound."""
        if id_ in self.cis:
            return id_
        record = self.records.get(id_)
        if record is None or record.ci not in self.cis:
            raise NotFound(f"no CI {id_!r} then")
        return record.ci

    def life(self, ci: str, now: int) -> Life:
        """How alive the CI was."""
        if not self._of:
            for record in self.records.values():
                self._of.setdefault(record.ci, []).append(record)
        members = self._of.get(ci, [])
        class_ = self.kinds[self.cis[ci][1]]
        if not members:
            return Life("current", None, "")
        runs = [one.run for one in members]
        last = max(run.last for run in runs) if class_.discovered else None
        return Life(stage(runs, class_.life, now).stage, last, min(one.site for one in members))


def revision_at(tx: Reading, known_at: int) -> int:
    """The newest revision recorded by ``known_at`` (ms), by the times of reports and decisions."""
    received = tables.REPORT.position("received_at")
    low, high = 0, tx.revision
    while low < high:
        middle = (low + high) // 2
        rows = tx.scan(tables.REPORT, (middle,), 1)
        if rows and rows[0][0] <= high and rows[0][received] <= known_at:
            low = rows[0][0]
        else:
            high = middle
    decided = (int(row[ruling.D["revision"]]) for row in ruling.rows(tx) if row[ruling.D["at"]] <= known_at)
    return max(low, *decided, 0)


def graph_at(
    tx: Reading, at: int | None, known_at: int | None, kinds: Kinds | None = None, *, revision: int | None = None
) -> Graph:
    """The graph at ``at`` (ms; None: now) as known at ``known_at`` (ms; None: now), or at ``revision``."""
    if revision is None:
        revision = tx.revision if known_at is None else revision_at(tx, known_at)
    known = kinds or classes()
    batch = state_at(tx, FOREVER if at is None else at, revision, known)
    past = batch.tx
    cis = {row[0]: row for row in past.scan(tables.CI, None, past.count(tables.CI))}
    relations = past.scan(tables.RELATION, None, past.count(tables.RELATION))
    records = {
        held.id: PastRecord(held.ci, held.site, Run(held.first_at, batch.seen_last(held), _ended(batch, held)))
        for held in batch.records.values()
    }
    return Graph(cis, relations, records, revision, known)


def _ended(batch: Batch, held: Held) -> int | None:
    return min((one.ended_at for one in _lineage(batch, held) if one.ended_at is not None), default=None)


def _lineage(batch: Batch, held: Held) -> Iterator[Held]:
    """A component's record, then those of what it depends on."""
    yield held
    while held.parent:
        held = batch.records[held.parent]
        yield held
