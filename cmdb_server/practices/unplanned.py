"""What changed outside of any booked change, kept once for each time that it was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cmdb_server.model.instants import rfc3339
from cmdb_server.practices import kept
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_rows import Kept, there
from cmdb_server.practices.kind import PRACTICE
from cmdb_server.store.bounds import UNPLANNED, Bound, advance, bound
from cmdb_server.store.port import Store, Writing

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
        return None if found is None else _opened(tx, found, now_ms)

    return store.write(work)


def _opened(tx: Writing, found: Sighting, now_ms: int) -> Kept:
    """Only CIs that are there still are named as such."""
    body = {
        "summary": found.summary, "seen_from": rfc3339(found.first), "seen_until": rfc3339(found.last),
        "differences": [dict(one) for one in found.differences], "more": found.more,
    }  # fmt: skip
    return kept.opened(tx, KIND, body, {"changed": there(tx, found.cis)}, By("cmdb", (PRACTICE,), now_ms))
