"""What changed since a revision, in order: what others follow the graph by. Who sees a part of it is told of what left
their sight as of something that is deleted."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from cmdb_server.answers.causes import Cause, causes
from cmdb_server.answers.departures import feed_rows, is_removal
from cmdb_server.errors import Invalid
from cmdb_server.ingest.reach import check_since
from cmdb_server.store import tables
from cmdb_server.store.port import Key, Reading, Row, Store

KEPT = "kept"
KINDS = ("ci", KEPT, "relation")


@dataclass(frozen=True, slots=True)
class KeptTold:
    """A version of something kept: its ``kind``, such as ``change``, by which ``transition`` (``open``, ``edit`` or one
    of the kind's) it came into which ``state``; ``cis``: role -> ids."""

    kind: str
    number: str
    version: int
    transition: str
    state: str
    summary: str
    cis: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """A revision changed one thing. ``id``: of a CI, a relation's from, type and to, or the number and version of what
    is kept, which ``kept`` tells more of."""

    revision: int
    kind: str
    id: tuple[str, ...]
    deleted: bool
    cause: Cause
    kept: KeptTold | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes in order of revision. ``cursor`` continues within what is there; None at its end. ``revision``: ask on
    from here then."""

    items: tuple[Change, ...]
    cursor: str | None
    revision: int


def changes(store: Store, since: int, cursor: str | None = None, limit: int = 1000) -> Changes:
    """What changed after revision ``since``. Raises Invalid for a revision that is still to come,
    Forgotten for one that the feed does not reach back to."""

    def work(tx: Reading) -> Changes:
        if since > tx.revision:
            message = f"revision {since} is still to come: the newest is {tx.revision}"
            raise Invalid(f"since: {message}", errors=[{"path": "since", "message": message}])
        check_since(tx, since if cursor is None else place_in(cursor)[0])
        after = (since, "~", "") if cursor is None else place_in(cursor)
        versions: dict[str, Row] = {}
        merged = heapq.merge(feed_rows(tx, after), _kept(tx, after, versions), key=lambda row: row[:3])
        rows = list(islice(merged, limit + 1))
        page, more = rows[:limit], len(rows) > limit
        last = page[-1][0] if page else max(since, after[0])
        return Changes(tuple(_told(tx, page, versions)), place_of(page[-1]) if more else None, last)

    return store.read(work)


def _kept(tx: Reading, after: Key, versions: dict[str, Row]) -> Iterator[Row]:
    """Versions of what is kept as rows of the feed, from there on; each goes into ``versions`` by its id."""
    for row in tx.between(tables.KEPT_VERSION, "revision", after[0] - 1, tx.revision):
        place = f"{row[0]} {row[1]:06}"
        if (row[2], KEPT, place) > after:
            versions[place] = row
            yield row[2], KEPT, place, 0


def _told(tx: Reading, page: list[Row], versions: Mapping[str, Row]) -> Iterator[Change]:
    removals = {row[:3] for row in page if is_removal(tx, row)}
    told = causes(tx, {row[0] for row in page if row[1] != KEPT})
    kept = _versions(tx, [versions[row[2]] for row in page if row[1] == KEPT])
    for revision, kind, place, deleted in page:
        if kind == KEPT:
            one, cause = kept[place]
            yield Change(revision, kind, (one.number, str(one.version)), False, cause, one)
        else:
            cause = told[revision]
            if (revision, kind, place) in removals:  # who did what there is for those who see it
                cause = Cause(revision, cause.recorded_at)
            yield Change(revision, kind, tuple(place.split(" ")), bool(deleted), cause)


def _versions(tx: Reading, rows: Iterable[Row]) -> dict[str, tuple[KeptTold, Cause]]:
    """By place in the feed."""
    listed = list(rows)
    kinds = {key[0]: row[1] for key, row in tx.get(tables.KEPT, {(row[0],) for row in listed}).items()}
    found = {}
    for number, version, revision, at, subject, transition, state, note, body, cis in listed:
        named = {role: tuple(ids) for role, ids in cis.items()}
        summary = str(body.get("summary", ""))
        one = KeptTold(kinds.get(number, ""), number, version, transition, state, summary, named)
        found[f"{number} {version:06}"] = one, Cause(revision, at, subject=subject, reason=note or "")
    return found


def place_of(row: Row) -> str:
    """The cursor that goes on after (revision, kind, id)."""
    return f"{row[0]} {row[1]} {row[2]}"


def place_in(cursor: str) -> Key:
    """(revision, kind, id) that a cursor goes on after. Raises Invalid for what was not given out."""
    revision, _, rest = cursor.partition(" ")
    kind, _, id_ = rest.partition(" ")
    if not revision.isdigit() or len(revision) > 18 or kind not in KINDS:
        raise Invalid("cursor: was not given out here", errors=[{"path": "cursor", "message": "unknown"}])
    return (int(revision), kind, id_)
