"""What changed outside of any booked change, kept once for each time that it was seen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cmdb_server.model.instants import rfc3339
from cmdb_server.practices import kept
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_rows import Kept, Version, there
from cmdb_server.practices.kind import PRACTICE
from cmdb_server.practices.kind_files import kinds
from cmdb_server.store.bounds import UNPLANNED, Bound, advance, bound
from cmdb_server.store.port import Reading, Store, Writing
from cmdb_server.store.tables import KEPT_COUNT, KEPT_VERSION

KIND = "unplanned_change"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is to be kept: times in ms, ``cis`` by their ids, ``more`` differences than are listed."""

    summary: str
    first: int
    last: int
    differences: Sequence[Mapping[str, Any]]
    more: int
    cis: Sequence[str]


def reached(store: Store) -> int | None:
    """The revision up to which was looked; None where nobody has looked yet."""

    def known(found: Bound) -> int | None:
        return found.revision if found.told else None

    return store.read(lambda tx: known(bound(tx, UNPLANNED)))


def keep(store: Store, since: int | None, until: int, found: Sighting | None, now_ms: int) -> Kept | None:
    """Keep what was found between two revisions, and that it was looked up to the later one. Nothing, when another
    has done so meanwhile."""

    def work(tx: Writing) -> Kept | None:
        before = bound(tx, UNPLANNED)
        if before.told and before.revision != since:
            return None
        advance(tx, Bound(UNPLANNED, now_ms, until, {"looked": True}))
        return None if found is None else _opened(tx, since or 0, until, found, now_ms)

    return store.write(work)


def opened_of(tx: Reading, revision: int) -> Version | None:
    """What was kept, as it was opened, when that revision was looked at; None where nothing was. Whoever looks takes up
    where another ended, so that later numbers are of later revisions."""
    prefix = kinds()[KIND].prefix
    row = tx.get(KEPT_COUNT, [(prefix,)]).get((prefix,))
    numbers = range(1, 1 if row is None else row[1] + 1)

    def told(number: int) -> Version:
        (row,) = tx.get(KEPT_VERSION, [(kept.numbered(prefix, number), 1)]).values()
        return Version(*row)

    place = bisect_left(numbers, revision, key=lambda number: told(number).body["until_revision"])
    found = told(numbers[place]) if place < len(numbers) else None
    return found if found is not None and found.body["after_revision"] < revision else None


def _opened(tx: Writing, since: int, until: int, found: Sighting, now_ms: int) -> Kept:
    """Only CIs that are there still are named as such."""
    body = {
        "after_revision": since, "until_revision": until,
        "summary": found.summary, "seen_from": rfc3339(found.first), "seen_until": rfc3339(found.last),
        "differences": [dict(one) for one in found.differences], "more": found.more,
    }  # fmt: skip
    return kept.opened(tx, KIND, body, {"changed": there(tx, found.cis)}, By("cmdb", (PRACTICE,), now_ms))
