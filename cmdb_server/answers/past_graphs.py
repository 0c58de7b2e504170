"""Graphs of the past that were asked for lately: the next page of a list, or the next question about the same time, need
not have them made again.

What was known at a revision stays as it is. A time as it is known now may be corrected: by late reports, by what people
decide, and by whoever turns out to be somebody else. So before a kept graph is given again, what was told since it was
made is looked through for these.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

from cmdb_server.answers.history import Graph, Moment, graph_of, moment_of
from cmdb_server.ingest.sighting import Kinds
from cmdb_server.ingest.tenure import TENURE
from cmdb_server.store import tables
from cmdb_server.store.port import Reading

ROWS = 2_000_000
"""So many rows of CIs, relations and records are kept at most: some two gigabytes."""

Key = tuple[int, int, int | None]
"""Until when observed and by when stale, ms; the revision of what was known, None: now."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """``until``: the revision up to which nothing was told that would change it."""

    graph: Graph
    until: int

    @property
    def rows(self) -> int:
        return len(self.graph.cis) + len(self.graph.relations) + len(self.graph.records)


class PastGraphs:
    """One store's, for all threads of a process. ``rows``: how many of them are kept at most."""

    def __init__(self, rows: int = ROWS) -> None:
        self._most = rows
        self._lock = Lock()
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()

    def at(
        self, tx: Reading, at: int | None, known_at: int | None, kinds: Kinds, *, revision: int | None = None
    ) -> Graph:
        """As ``history.graph_at``."""
        moment = moment_of(tx, at, known_at, revision)
        key = (moment.then.until, moment.now, moment.then.revision if moment.fixed else None)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or kept.graph.kinds is not kinds or not _stands(tx, kept, moment):
            kept = _Kept(graph_of(tx, moment, kinds), tx.revision)
        told = replace(kept.graph, revision=moment.then.revision)
        self._keep(key, _Kept(told, max(kept.until, tx.revision)))
        return told

    def _keep(self, key: Key, kept: _Kept) -> None:
        with self._lock:
            self._kept.pop(key, None)
            if kept.rows <= self._most:
                self._kept[key] = kept
            while sum(one.rows for one in self._kept.values()) > self._most:
                self._kept.popitem(last=False)


def _stands(tx: Reading, kept: _Kept, moment: Moment) -> bool:
    """Whether a graph is still what it was, whatever was told since."""
    if moment.fixed:
        return True
    if tx.revision < kept.until:
        return False  # of a later state than this reading sees
    revisions = (kept.until, tx.revision)
    told = tx.between(tables.REPORT, "revision", *revisions)
    placed = tx.between(tables.MEMBERSHIP, "revision", *revisions)
    decided = tx.between(tables.DECISION, "revision", *revisions)
    return not (
        any(moment.then.counts(row) for row in told)
        or any(True for _ in decided)
        or any(row[0] in kept.graph.records for row in placed)
        or any(row[1] == TENURE for row in tx.between(tables.FACT, "revision", *revisions))
    )
