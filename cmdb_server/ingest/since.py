"""What was told since: the reports that did not count yet at a time or in a revision, and all that they bore upon.

The log tells which reports these are, and the history what was written while they were taken in. A report that repeats
what its part had told before bears upon nothing, so that the search follows the change.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cmdb_server.ingest import ruling
from cmdb_server.ingest.sighting import unpack
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row
from cmdb_server.store.tables import Table

P = {name: tables.REPORT.position(name) for name, _ in tables.REPORT.columns}
L = {name: tables.LANE.position(name) for name, _ in tables.LANE.columns}
FOREVER = 1 << 62
"""After all times, ms."""
RECENT_MS = 25 * 3_600_000
"""Most scopes are told of once a day: their last report before a time is looked for here first."""

Part = tuple[str, int]
"""A part of a scope."""


@dataclass(frozen=True, slots=True)
class Then:
    """A moment: what had been observed until ``until`` (ms), as known at ``revision``."""

    until: int
    revision: int

    def part(self, table: Table, rows: Sequence[Row]) -> Sequence[Row | None]:
        """What there was then of the log."""
        counts = {tables.REPORT: self.counts, tables.DECISION: self.decided}.get(table)
        return rows if counts is None else [row if counts(row) else None for row in rows]

    def counts(self, report: Row) -> bool:
        """Whether a report counts."""
        return bool(report[P["revision"]] <= self.revision and report[P["observed_at"]] <= self.until)

    def decided(self, decision: Row) -> bool:
        """Whether a decision does: what people deleted later was there before."""
        at = ruling.D
        is_tombstone = decision[at["verb"]] == ruling.TOMBSTONE
        return bool(
            decision[at["revision"]] <= self.revision and (not is_tombstone or decision[at["at"]] <= self.until)
        )


@dataclass(slots=True)
class Since:
    """``lanes``: for each part of a scope that was told of since, its newest report then, None without any.
    ``records``: those that may have been otherwise, components among them."""

    lanes: dict[Part, Row | None] = field(default_factory=dict)
    records: set[str] = field(default_factory=set)


def told_since(tx: Reading, then: Then) -> Since:
    """What differs from ``then``."""
    later = list(_reports(tx, then))
    first = min([row[P["revision"]] for row in later] + [then.revision + 1])
    since = Since()
    for table in (tables.FACT, tables.CLAIM, tables.MEMBERSHIP):
        since.records.update(row[0] for row in tx.between(table, "revision", first - 1, tx.revision))
    told: defaultdict[Part, set[str]] = defaultdict(set)
    for row in later:
        told[(row[P["scope"]], row[P["part"]])].add(row[P["digest"]])
    since.lanes = _newest(tx, then, told)
    since.records |= _sighted_otherwise(tx, told, since.lanes)
    return since


def _reports(tx: Reading, then: Then) -> Iterator[Row]:
    """The reports that do not count then."""
    yield from tx.between(tables.REPORT, "revision", then.revision, tx.revision)
    if then.until < FOREVER:
        observed = tx.between(tables.REPORT, "observed_at", then.until, FOREVER)
        yield from (row for row in observed if row[P["revision"]] <= then.revision)


# The newest report of each part ----------------------------------------------------------------------------------------


def _newest(tx: Reading, then: Then, lanes: Iterable[Part]) -> dict[Part, Row | None]:
    """For each of these parts, and all others of their scopes, its newest report that counts."""
    wanted = set(lanes)
    scopes = {scope for scope, _ in wanted}
    parts: defaultdict[str, set[int]] = defaultdict(set)
    for row in tx.find(tables.LANE, ("scope",), [(scope,) for scope in sorted(scopes)]):
        parts[row[L["scope"]]].add(row[L["part"]])
    whole = {scope for scope in scopes if parts[scope] == {1}}
    found = _last(row for row in _recent(tx, then) if row[P["scope"]] in whole)
    left = sorted(scopes - {scope for scope, _ in found})
    rows = tx.find(tables.REPORT, ("scope",), [(scope,) for scope in left])
    found |= _last(row for row in rows if then.counts(row))
    return dict.fromkeys(((scope, part) for scope in scopes for part in parts[scope]), None) | found


def _recent(tx: Reading, then: Then) -> Iterator[Row]:
    """The reports of a day before the moment."""
    if then.until == FOREVER:
        return
    rows = tx.between(tables.REPORT, "observed_at", then.until - RECENT_MS, then.until)
    yield from (row for row in rows if row[P["revision"]] <= then.revision)


def _last(rows: Iterable[Row]) -> dict[Part, Row | None]:
    """The newest report of each part; of two of one time the one that was told first."""
    found: dict[Part, Row | None] = {}
    for row in rows:
        lane = (row[P["scope"]], row[P["part"]])
        known = found.get(lane)
        if known is None or _order(known) < _order(row):
            found[lane] = row
    return found


def _order(row: Row) -> tuple[int, int]:
    return row[P["observed_at"]], -row[P["revision"]]


# What the reports told of otherwise ------------------------------------------------------------------------------------


def _sighted_otherwise(tx: Reading, told: Mapping[Part, set[str]], lanes: Mapping[Part, Row | None]) -> set[str]:
    """Records that some report since told of with other bytes than the newest one then, or did not tell of, or that only
    that one did; and those told of by several parts of a scope, any of which may be the one that confirms them."""
    newest = {part: set() if row is None else {row[P["digest"]]} for part, row in lanes.items()}
    sizes = Counter(scope for scope, _ in lanes)
    shared = {part for part in lanes if sizes[part[0]] > 1}
    changed = {part: digests - newest[part] for part, digests in told.items()}
    wanted = {part: changed[part] | newest[part] for part in told if changed[part]}
    wanted |= {part: told.get(part, set()) | newest[part] for part in shared}
    contents = tx.get(tables.CONTENT, [(digest,) for digest in sorted(set().union(*wanted.values()))])
    found: set[str] = set()
    for part, digests in changed.items():
        before = _members(contents, newest[part])
        for digest in digests:
            found.update(record for _, record in before ^ _members(contents, {digest}))
    by_scope: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for part in shared:
        by_scope[part[0]].update({record for _, record in _members(contents, wanted[part])})
    return found.union(record for times in by_scope.values() for record, count in times.items() if count > 1)


def _members(contents: Mapping[tuple[str, ...], Row], digests: Iterable[str]) -> set[tuple[bytes, str]]:
    """(digest of an observation, its record) of contents."""
    rows = (row for digest in digests if (row := contents.get((digest,))) is not None)
    return {member for row in rows for member in unpack(row[2]).items()}


def decided_of(tx: Reading) -> Sequence[str]:
    """The records that any decision ever named."""
    return [id_ for row in ruling.rows(tx) for side in row[ruling.D["body"]].get("sides", ()) for id_ in side]
