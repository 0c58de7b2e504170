"""The graph as it was, and as it was known.

``at``: facts and presence observed by then. ``known_at``: everything recorded by then, identity included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.deleted import deleted_at
from cmdb_server.answers.life import Life
from cmdb_server.errors import NotFound
from cmdb_server.ingest import deadlines
from cmdb_server.ingest.reach import check_revision, check_time, revision_at
from cmdb_server.ingest.rewind import state_at
from cmdb_server.ingest.sighting import Kinds
from cmdb_server.ingest.since import FOREVER, Then
from cmdb_server.model.precedence import Candidate
from cmdb_server.model.presence import Run, stage
from cmdb_server.store import tables
from cmdb_server.store.digest import pages
from cmdb_server.store.draft import Draft
from cmdb_server.store.port import Reading, Row

OBSERVED_AT = tables.LANE.position("observed_at")
R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}


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
        return Life(
            stage(runs, class_.life, now, deleted_at(self.cis[ci])).stage, last, min(one.site for one in members)
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """What is asked for: ``then``, by whose end values are stale or fresh at ``now`` (ms). ``fixed``: nothing that is
    told later changes it."""

    then: Then
    now: int
    fixed: bool


def moment_of(tx: Reading, at: int | None, known_at: int | None, revision: int | None = None) -> Moment:
    """``at`` (ms; None: now) as known at ``known_at`` (ms; None: now), or at ``revision``. Raises Forgotten for what
    retention dropped."""
    check_time(tx, at, "at")
    check_time(tx, known_at, "known_at")
    known = revision
    if known is None:
        known = tx.revision if known_at is None else revision_at(tx, known_at)
    check_revision(tx, known)
    now = next((one for one in (at, known_at) if one is not None), None)
    fixed = now is not None and (revision is not None or known_at is not None)
    return Moment(Then(FOREVER if at is None else at, known), _clock(tx) if now is None else now, fixed)


def graph_at(
    tx: Reading, at: int | None, known_at: int | None, kinds: Kinds | None = None, *, revision: int | None = None
) -> Graph:
    """The graph of a moment, as ``moment_of`` has it."""
    return graph_of(tx, moment_of(tx, at, known_at, revision), kinds or classes())


def graph_of(tx: Reading, moment: Moment, kinds: Kinds) -> Graph:
    past = state_at(tx, moment.then, kinds, moment.now)
    cis = {row[0]: row for row in past.rows(tables.CI)}
    return Graph(cis, [*past.rows(tables.RELATION)], _records(past), moment.then.revision, kinds)


def _clock(tx: Reading) -> int:
    """The time that the present state is of."""
    return deadlines.clock(tx, (row[OBSERVED_AT] for row in pages(tx, tables.LANE)))


def _records(past: Draft) -> dict[str, PastRecord]:
    seen = {row[:2]: row[OBSERVED_AT] for row in past.rows(tables.LANE)}
    rows = {row[0]: row for row in past.rows(tables.RECORD)}
    runs: dict[str, Run] = {}

    def run(row: Row) -> Run:
        """When it was there: a component no longer than what it depends on, and seen with it."""
        if (known := runs.get(row[0])) is not None:
            return known
        above = run(rows[row[R["parent"]]]) if row[R["parent"]] else None
        last, ended = row[R["last_at"]], row[R["ended_at"]]
        if last is None:
            last = above.last if above is not None else seen[(row[R["scope"]], row[R["part"]])]
        ends = [end for end in (ended, above.ended_at if above is not None else None) if end is not None]
        found = runs[row[0]] = Run(row[R["first_at"]], last, min(ends, default=None))
        return found

    return {
        id_: PastRecord(row[R["ci"]], row[R["site"]], run(row), row[R["source"]], row[R["attributes"]])
        for id_, row in rows.items()
    }
