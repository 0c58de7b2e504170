"""What left a viewer's sight: for who follows the feed and sees a part, a CI that is deleted, or no longer fits, is gone.

It is told as a removal of its id alone, and only where it was seen before: by its selector and by what it was then, it
was open to who asks. What was never seen is not told of. With a CI all that is part of it is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from itertools import chain, groupby, islice

from cmdb_server.answers.seen import SeenReading
from cmdb_server.errors import Forgotten
from cmdb_server.ingest.rewind import state_at
from cmdb_server.ingest.since import FOREVER, Then
from cmdb_server.model.selector_tree import Related, parts
from cmdb_server.store import tables
from cmdb_server.store.bounds import HISTORY, bound
from cmdb_server.store.draft import Draft
from cmdb_server.store.port import Key, Reading, Row

CHUNK = 1000
RECEIVED = tables.REPORT.position("received_at")
NEAR = 100
"""Revisions among which a report is looked for that tells the time of one."""


def feed_rows(tx: Reading, after: Key) -> Iterator[Row]:
    """Rows of FEED after a key, in order; for who sees a part, with removals of what left their sight. ``after``'s
    revision is one up to which all was told, or told in part. Raises Forgotten where what was seen then is dropped."""
    if not isinstance(tx, SeenReading):
        yield from _scan(tx, after)
        return
    told: set[str] = set()
    before = {revision: _Before(tx, revision) for revision in (after[0] - 1, after[0])}
    of_revision = groupby(_scan(tx.whole, (after[0], "", "")), key=lambda row: int(row[0]))
    while some := [(revision, list(rows)) for revision, rows in islice(of_revision, CHUNK)]:
        tx.eyes.sees({id_ for _, rows in some for row in rows for id_ in _ends(row)})  # all of them at once
        for revision, rows in some:
            state = before[after[0] - 1 if revision == after[0] else after[0]]
            found = {row[1:3]: row for row in tx.seen(tables.FEED, rows)}
            for id_ in sorted(state.left(rows) - told):
                told.add(id_)
                found["ci", id_] = (revision, "ci", id_, 1)
            yield from (found[key] for key in sorted(found) if (revision, *key) > after)


def is_removal(tx: Reading, row: Row) -> bool:
    """Whether a row of the feed tells of what is not there, or not seen any more: then nothing else is told of it."""
    return isinstance(tx, SeenReading) and row[1] == "ci" and not tx.eyes.sees((row[2],))


def _scan(tx: Reading, after: Key) -> Iterator[Row]:
    while rows := tx.scan(tables.FEED, after, CHUNK):
        yield from rows
        after = rows[-1][:3]


def _ends(row: Row) -> Collection[str]:
    words = row[2].split(" ")
    return {words[0], words[-1]}


class _Before:
    """Who was seen once a revision was told."""

    def __init__(self, tx: SeenReading, revision: int) -> None:
        self._tx, self._revision = tx, revision
        tree = tx.sight.selected.selector.tree
        self._related = {(part.type, part.incoming) for part in parts(tree) if isinstance(part, Related)}

    def left(self, rows: list[Row]) -> set[str]:
        """The CIs that one of these changes made leave: what it is of, and what was told apart by its relations to
        that."""
        if self._revision <= 0:
            return set()
        touched = set(chain.from_iterable(_ends(row) for row in rows))
        if self._related:
            touched |= self._neighbours(touched)
        gone = touched - self._tx.eyes.sees(touched)
        return self._tx.sight.fitting(self._state, gone, self._time) if gone else set()

    def _neighbours(self, ids: Collection[str]) -> set[str]:
        """Those that the selector tells apart by a relation to one of these CIs."""
        keys = [(id_,) for id_ in ids]
        ways: Mapping[bool, tuple[str, int]] = {False: ("to_ci", 0), True: ("from_ci", 2)}
        return {
            row[ways[incoming][1]]
            for type_, incoming in self._related
            for row in self._state.find(tables.RELATION, (ways[incoming][0],), keys)
            if row[1] == type_
        }

    @cached_property
    def _state(self) -> Draft:
        first = bound(self._tx.whole, HISTORY).revision
        if self._revision < first:
            message = f"what you saw then was dropped; the history begins with {first}: read everything anew"
            raise Forgotten(f"since: {message}", errors=[{"path": "since", "message": message}])
        return state_at(self._tx.whole, Then(FOREVER, self._revision), self._tx.sight.kinds, self._time)

    @cached_property
    def _time(self) -> int:
        """When that was (ms): what was fresh then was seen, though it may have grown old."""
        reports = self._tx.whole.between(tables.REPORT, "revision", self._revision - NEAR, self._revision)
        return max((row[RECEIVED] for row in reports), default=self._tx.sight.projections.clock())
