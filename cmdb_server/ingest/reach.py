"""How far back the history reaches. What retention dropped cannot be asked for, and nothing can be told of it."""

from __future__ import annotations

from cmdb_server.errors import Forgotten
from cmdb_server.ingest import ruling
from cmdb_server.model.instants import rfc3339
from cmdb_server.store import tables
from cmdb_server.store.bounds import HISTORY, begun, bound
from cmdb_server.store.port import Reading

LATE_MS = 86_400_000
"""A report this much later than what it observed may be from before the history: the horizon is never nearer."""


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


def check_time(tx: Reading, at: int | None, what: str) -> None:
    """Raises Forgotten for a time (ms) before the history. ``what``: the parameter or field."""
    first = begun(tx) if at is not None else None
    if at is not None and first is not None and at < first:
        message = f"the history reaches back to {rfc3339(first)}; what came before was dropped"
        raise Forgotten(f"{what}: {message}", errors=[{"path": what, "message": message}])


def check_revision(tx: Reading, revision: int) -> None:
    """Raises Forgotten for a revision that is not kept as it was known."""
    horizon = bound(tx, HISTORY)
    if revision < horizon.revision:
        raise Forgotten(
            f"what was known in revision {revision} was dropped; the history begins with {horizon.revision}"
        )


def check_since(tx: Reading, since: int) -> None:
    """Raises Forgotten for a place in the change feed from before its beginning."""
    first = int(bound(tx, HISTORY).told.get("feed", 0))
    if since < first:
        message = (
            f"the feed begins after revision {first}: read everything anew, then follow from the revision you read at"
        )
        raise Forgotten(f"since: {message}", errors=[{"path": "since", "message": message}])


def check_report(tx: Reading, at: int, received: int) -> None:
    """Raises Forgotten for a report observed at ``at`` (ms) that comes later than what it tells of is kept."""
    if received - at > LATE_MS:
        check_time(tx, at, "observed_at")
