"""What changed since a revision, in order: what others follow the graph by."""

from __future__ import annotations

from dataclasses import dataclass

from cmdb_server.answers.causes import Cause, causes
from cmdb_server.errors import Invalid
from cmdb_server.ingest.reach import check_since
from cmdb_server.store import tables
from cmdb_server.store.port import Key, Reading, Row, Store

KINDS = ("ci", "relation")


@dataclass(frozen=True, slots=True)
class Change:
    """A revision changed one thing. ``id``: of a CI, or a relation's from, type and to."""

    revision: int
    kind: str
    id: tuple[str, ...]
    deleted: bool
    cause: Cause


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
        check_since(tx, since if cursor is None else _after(cursor)[0])
        after = (since + 1, "", "") if cursor is None else _after(cursor)
        rows = tx.scan(tables.FEED, after, limit + 1)
        page, more = rows[:limit], len(rows) > limit
        told = causes(tx, {row[0] for row in page})
        last = page[-1][0] if page else max(since, after[0] - 1 if cursor is None else after[0])
        items = tuple(Change(row[0], row[1], tuple(row[2].split(" ")), bool(row[3]), told[row[0]]) for row in page)
        return Changes(items, _place(page[-1]) if more else None, last)

    return store.read(work)


def _place(row: Row) -> str:
    return f"{row[0]} {row[1]} {row[2]}"


def _after(cursor: str) -> Key:
    revision, _, rest = cursor.partition(" ")
    kind, _, id_ = rest.partition(" ")
    if not revision.isdigit() or len(revision) > 18 or kind not in KINDS:
        raise Invalid("cursor: was not given out here", errors=[{"path": "cursor", "message": "unknown"}])
    return (int(revision), kind, id_)
