"""Values that go stale by time alone: a source loses its place when it has not confirmed its word within its refresh
time, though nobody says anything.

When that will be is known beforehand and kept with the CI. Whoever notices that it has come writes the CI's row; since
the row follows from the observations and the time, it does not matter who does, when, or how often.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from cmdb_schemas.ci_class import CIClass
from cmdb_schemas.relations import relation_types
from cmdb_server.ingest.batch import Batch
from cmdb_server.store.bounds import DEADLINES, Bound, advance, bound
from cmdb_server.store.port import Reading, Store, Writing
from cmdb_server.store.tables import DEADLINE

BATCH = 500
"""CIs looked at in one transaction."""


def keep(batch: Batch, due: Mapping[str, int]) -> None:
    """Have CIs looked at when a winning value of theirs goes stale; ms. What is to be looked at sooner stays so."""
    known = batch.tx.get(DEADLINE, [(ci,) for ci in due]) if due else {}
    batch.tx.put(DEADLINE, [(ci, at) for ci, at in due.items() if (ci,) not in known or known[(ci,)][1] > at])


def overdue(tx: Reading, now_ms: int, limit: int = BATCH) -> list[str]:
    """The CIs to be looked at, the longest due first."""
    return [row[0] for row in islice(tx.between(DEADLINE, "at", -1, now_ms), limit)]


def notice(store: Store, kinds: Mapping[str, CIClass], now_ms: int, limit: int = BATCH) -> int:
    """Look at CIs of which a value may have gone stale by ``now_ms``; gives how many were looked at. Call it again until
    that is 0. Nothing is written while nothing is due."""
    if not store.read(lambda tx: overdue(tx, now_ms, 1)):
        return 0
    return store.write(lambda tx: _look(tx, kinds, now_ms, limit))


def _look(tx: Writing, kinds: Mapping[str, CIClass], now_ms: int, limit: int) -> int:
    from cmdb_server.ingest.pipeline import settle

    due = overdue(tx, now_ms, limit)
    tx.delete(DEADLINE, [(ci,) for ci in due])
    batch = Batch(tx, kinds, dict(relation_types()), now_ms)
    batch.stale_cis.update(due)
    settle(batch)
    before = bound(tx, DEADLINES)
    advance(tx, Bound(DEADLINES, max(before.at, now_ms), tx.revision))
    return len(due)


def clock(tx: Reading, observed: Iterable[int]) -> int:
    """The latest time (ms) that the present state can be of: of the newest observation, or when deadlines were last
    noticed."""
    return max(bound(tx, DEADLINES).at, max(observed, default=0))
