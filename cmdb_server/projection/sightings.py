"""Where CIs are seen, and until when each is current, ageing and missing if nobody sees it again: columns beside the
projection's arrays.

A report that finds nothing new moves nothing but the time of its lane. So the times here are such as were true when
they were read; they may since have become later, never earlier: whatever could make one earlier (a scan that ended
something, another membership) stands in the history, which is followed revision by revision. The stage that a CI is in
is therefore among those that these times allow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cmdb_server.model.presence import Stage
from cmdb_server.projection.build import pages
from cmdb_server.projection.columns import Bools, Column, Interned, Ints, Longs, frozen
from cmdb_server.projection.feed import changed
from cmdb_server.projection.identities import Identities, Index, words
from cmdb_server.projection.projection import DELETED, Projection
from cmdb_server.projection.rules import Rules
from cmdb_server.store.port import Reading, Row
from cmdb_server.store.tables import FACT, LANE, MEMBERSHIP, RECORD

NEVER, EVER = 1 << 62, 0
STAGES: tuple[Stage, ...] = ("current", "ageing", "missing", "retired")
NONE = -1
REFRESH_MS = 300_000
"""For so long CIs that may have aged are not looked up anew."""
REREAD_AT = 0.25
"""From this share of all CIs on, reading everything costs less than looking each up."""
R = {name: RECORD.position(name) for name, _ in RECORD.columns}
_LANE_AT = LANE.position("observed_at")
Lanes = Mapping[tuple[str, int], int]
"""(scope, part) -> when it was scanned last, ms."""


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """By CI: ``site``, a number of ``sites`` or -1; the earliest times (ms) at which it may stop being current, is
    gone, and is retired. True at ``revision``; ``looked_at``: when those that may have aged were last looked up."""

    revision: int
    looked_at: int
    site: Ints
    sites: Interned[str]
    ageing_at: Longs
    gone_at: Longs
    retired_at: Longs

    def reached(self, stage: Stage, now: float) -> Bools:
        """Which CIs may be in the stage at ``now`` (ms). The mask is the caller's own."""
        if stage == "current":
            return np.ones(len(self.site), bool)
        times = {"ageing": self.ageing_at, "missing": self.gone_at, "retired": self.retired_at}
        return np.less_equal(times[stage], int(now))


def sightings(old: Sightings | None, reading: Reading, projection: Projection, now: int) -> Sightings:
    """The columns at the revision of ``reading``, which is the projection's; ``old`` brought forward where given."""
    if old is None:
        return _whole(reading, projection, now)
    places = np.asarray(sorted(_touched(old, reading, projection)), np.int64)
    looked_at = old.looked_at
    if abs(now - looked_at) > REFRESH_MS:
        places, looked_at = np.union1d(places, np.flatnonzero(old.ageing_at <= now)), now
    if not len(places) and len(old.site) == len(projection):
        return replace(old, revision=reading.revision, looked_at=looked_at)
    if len(places) > REREAD_AT * len(projection):
        return _whole(reading, projection, now)
    ids = [projection.id(place) for place in places.tolist()]
    rows = reading.find(RECORD, ("ci",), [(id_,) for id_ in ids])
    fresh = _derived([_with_ancestors(reading, rows)], _lanes_of(reading, rows), projection, old.sites)
    return _merged(old, places, fresh, projection, reading.revision, looked_at)


def _touched(old: Sightings, reading: Reading, projection: Projection) -> set[int]:
    """The CIs of which something was told that may make a time earlier, or put it elsewhere."""
    if old.revision == reading.revision and len(old.site) == len(projection):
        return set()
    told, _ = changed(old.revision, reading)
    cis = set(told)
    records = {
        row[0] for table in (FACT, MEMBERSHIP) for row in reading.between(table, "revision", old.revision, reading.revision)
    }  # fmt: skip
    frontier = list(records)
    while frontier:
        parts = reading.find(RECORD, ("parent",), [(id_,) for id_ in frontier])
        frontier = [row[0] for row in parts if row[0] not in records]
        records.update(frontier)
    keys = [(id_,) for id_ in records]
    cis.update(row[R["ci"]] for row in reading.get(RECORD, keys).values())
    cis.update(row[2] for row in reading.find(MEMBERSHIP, ("record",), keys))
    found = projection.index.find([id_ for id_ in cis if id_])
    return {*found[found >= 0].tolist(), *range(len(old.site), len(projection))}


def _whole(reading: Reading, projection: Projection, now: int) -> Sightings:
    lanes = {(row[0], row[1]): row[_LANE_AT] for rows in pages(reading, LANE) for row in rows}
    sites = Interned[str]()
    fresh = _derived(pages(reading, RECORD), lanes, projection, sites)
    empty = np.empty(0, np.int64)
    none = Sightings(reading.revision, now, np.empty(0, np.int32), sites, empty, empty, empty)
    return _merged(none, np.empty(0, np.int64), fresh, projection, reading.revision, now)


def _with_ancestors(reading: Reading, rows: Sequence[Row]) -> list[Row]:
    """The records, and those that they are components of."""
    found = {row[0]: row for row in rows}
    above = {row[R["parent"]] for row in rows} - found.keys() - {""}
    while above:
        more = reading.get(RECORD, [(id_,) for id_ in above])
        found.update({key[0]: row for key, row in more.items()})
        above = {row[R["parent"]] for row in more.values()} - found.keys() - {""}
    return list(found.values())


def _lanes_of(reading: Reading, rows: Iterable[Row]) -> Lanes:
    keys = {(row[R["scope"]], row[R["part"]]) for row in _with_ancestors(reading, list(rows))}
    return {(key[0], key[1]): row[_LANE_AT] for key, row in reading.get(LANE, keys).items()}


@dataclass(frozen=True, slots=True, eq=False)
class _Derived:
    """For some ``cis``, in order, what ``Sightings`` has of each."""

    cis: Longs
    site: Ints
    ageing_at: Longs
    gone_at: Longs
    retired_at: Longs


def _merged(
    old: Sightings, reset: Longs, fresh: _Derived, projection: Projection, revision: int, looked_at: int
) -> Sightings:
    """``old`` with ``fresh`` for the CIs of ``reset``, or for all where there is nothing old."""
    size, whole = len(projection), not len(old.site)
    kept = np.ones(len(fresh.cis), bool) if whole else np.isin(fresh.cis, reset)
    columns = []
    for name, none in (("site", NONE), ("ageing_at", NEVER), ("gone_at", NEVER), ("retired_at", NEVER)):
        before: Column = getattr(old, name)
        column = np.full(size, none, before.dtype)
        column[: len(before)] = before
        column[reset] = none
        column[fresh.cis[kept]] = getattr(fresh, name)[kept]
        columns.append(frozen(column))
    site, ageing_at, gone_at, retired_at = columns
    return Sightings(revision, looked_at, site, old.sites, ageing_at, gone_at, retired_at)


def _derived(parts: Iterable[Sequence[Row]], lanes: Lanes, projection: Projection, sites: Interned[str]) -> _Derived:
    """What ``model.presence.stage`` says of every CI that holds one of these records, as the times of its changes."""
    records = _Records.of(parts, lanes, projection, sites)
    held = np.flatnonzero(records.ci >= 0)
    cis, at = np.unique(records.ci[held], return_inverse=True)
    last, ended = records.last()[held], records.ended_within()[held]
    ageing_ms, missing_ms, retired_ms = _spans(projection, cis)
    there, lives = ended == NEVER, ageing_ms != NONE
    open_last, last_seen, gone = (np.full(len(cis), NONE, np.int64) for _ in range(3))
    np.maximum.at(open_last, at[there], last[there])
    np.maximum.at(last_seen, at, last)
    np.maximum.at(gone, at, np.where(there, np.where(lives[at], last + missing_ms[at], NEVER), ended))
    deleted = projection.ended_at[cis] == DELETED
    retired = np.where((gone < NEVER) & lives, np.maximum(gone, last_seen + retired_ms), NEVER)
    return _Derived(
        cis, _least(records.site[held], at, len(cis), sites),
        np.where((open_last >= 0) & lives, open_last + ageing_ms, NEVER),
        np.where(deleted, EVER, gone), np.where(deleted, EVER, retired),
    )  # fmt: skip


def _spans(projection: Projection, cis: Longs) -> tuple[Longs, Longs, Longs]:
    """Each CI's times of life by its class, ms; -1 where only scans end it."""
    rules: Rules = projection.rules
    lives = [rules.lives.get(name) for name in rules.classes.values]
    table = [(life.ageing_ms, life.missing_ms, life.retired_ms) if life else (NONE,) * 3 for life in lives]
    spans = np.asarray(table, np.int64).reshape(-1, 3)[projection.class_of[cis]]
    return spans[:, 0], spans[:, 1], spans[:, 2]


def _least(site: Ints, at: Longs, size: int, sites: Interned[str]) -> Ints:
    """Of a CI's sites the first in the order of their names."""
    order = np.asarray(sorted(range(len(sites)), key=sites.__getitem__), np.int32)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    least = np.full(size, len(order), np.int32)
    np.minimum.at(least, at, rank[site])
    return np.append(order, np.int32(NONE))[least]


@dataclass(frozen=True, slots=True, eq=False)
class _Records:
    """Rows of RECORD as arrays. ``parent``: the place of the record it is a component of, -1 without one; ``last_at``
    and ``ended_at`` -1 where null; ``lane_at``: when its lane was scanned last."""

    ci: Longs
    parent: Longs
    site: Ints
    last_at: Longs
    ended_at: Longs
    lane_at: Longs

    @classmethod
    def of(cls, parts: Iterable[Sequence[Row]], lanes: Lanes, projection: Projection, sites: Interned[str]) -> _Records:
        columns: list[list[Column]] = [[] for _ in range(8)]
        for rows in parts:
            for column, values in zip(columns, _read(rows, lanes, projection, sites), strict=True):
                column.append(values)
        if not columns[0]:
            none = np.empty(0, np.int64)
            return cls(none, none, np.empty(0, np.int32), none, none, none)
        high, low, above_high, above_low, ci, site, times, lane_at = (np.concatenate(column) for column in columns)
        parent = Index.of(Identities.of(high, low)).matching(above_high, above_low)
        parent[(above_high == 0) & (above_low == 0)] = NONE
        return cls(ci, parent, site, times[:, 0], times[:, 1], lane_at)

    def last(self) -> Longs:
        """When each was seen last: by its own word, or that of what it is part of, or with the lane of all."""
        last, here = self.last_at.copy(), np.arange(len(self.ci))
        left = np.flatnonzero(last == NONE)
        while len(left):
            up = self.parent[here[left]]
            top = left[up < 0]
            last[top] = self.lane_at[here[top]]
            left, up = left[up >= 0], up[up >= 0]
            here[left] = up
            last[left] = self.last_at[up]
            left = left[last[left] == NONE]
        return last

    def ended_within(self) -> Longs:
        """When each ended, or what it is part of did."""
        own = np.where(self.ended_at == NONE, NEVER, self.ended_at)
        ended, above = own.copy(), self.parent.copy()
        while len(left := np.flatnonzero(above >= 0)):
            ended[left] = np.minimum(ended[left], own[above[left]])
            above[left] = self.parent[above[left]]
        return ended


def _read(rows: Sequence[Row], lanes: Lanes, projection: Projection, sites: Interned[str]) -> tuple[Column, ...]:
    """A page of records as columns; an id is two words, both zero where there is none."""
    above_high, above_low = _halves([row[R["parent"]] for row in rows])
    ci_high, ci_low = _halves([row[R["ci"]] for row in rows])
    times = [(_or_none(row[R["last_at"]]), _or_none(row[R["ended_at"]])) for row in rows]
    return (
        *_halves([row[0] for row in rows]), above_high, above_low, projection.index.matching(ci_high, ci_low),
        np.asarray([sites.code(row[R["site"]]) for row in rows], np.int32), np.asarray(times, np.int64).reshape(-1, 2),
        np.asarray([lanes.get((row[R["scope"]], row[R["part"]]), NONE) for row in rows], np.int64),
    )  # fmt: skip


def _halves(ids: Sequence[str]) -> tuple[Column, Column]:
    there = [place for place, id_ in enumerate(ids) if id_]
    halves = np.zeros(len(ids), np.uint64), np.zeros(len(ids), np.uint64)
    if there:
        for half, told in zip(halves, words([ids[place] for place in there]), strict=True):
            half[there] = told
    return halves


def _or_none(value: int | None) -> int:
    return NONE if value is None else value


def asks(names: Collection[str]) -> bool:
    """Whether any of a CI's own names is one of these columns'."""
    return not {"site", "stage"}.isdisjoint(names)
