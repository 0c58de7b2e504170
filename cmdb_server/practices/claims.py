"""Rows that one process at a time has for itself: claimed for a while by a conditional write, with a fence.

A claim that runs out passes on; whoever had it before may still be at work, and says nothing more: only the newest
fence may say how it ended. So any number of servers share the work and none leads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from cmdb_server.store.port import Reading, Row, Store, Writing
from cmdb_server.store.tables import Table

CLAIM_MS = 60_000
FIRST_RETRY_MS, LONGEST_RETRY_MS = 5_000, 3_600_000


class Claimable(Protocol):
    """A frozen dataclass with at least these. ``due_at``: not before (ms); ``attempts``: failed since the last
    success; ``fault``: why the last one failed."""

    @property
    def id(self) -> str: ...
    @property
    def attempts(self) -> int: ...
    @property
    def due_at(self) -> int | None: ...
    @property
    def claimed_until(self) -> int: ...
    @property
    def fence(self) -> int: ...


C = TypeVar("C", bound=Claimable)


@dataclass(frozen=True, slots=True)
class Claims(Generic[C]):
    """The claims on a table whose key is ``id``: how its rows are read, and how they are written."""

    table: Table
    read: Callable[[Row], C]
    row: Callable[[C], Row]

    def find(self, tx: Reading, id_: str) -> C | None:
        """The thing as it stands."""
        found = tx.get(self.table, [(id_,)]).get((id_,))
        return None if found is None else self.read(found)

    def claim(self, store: Store, id_: str, now_ms: int) -> C | None:
        """Have it for oneself until the claim runs out; None when it is another's, not due or gone."""

        def free(tx: Reading) -> C | None:
            found = self.find(tx, id_)
            if found is None or found.due_at is None:
                return None
            return found if max(found.due_at, found.claimed_until) <= now_ms else None

        def work(tx: Writing) -> C | None:
            found = free(tx)
            if found is None:
                return None
            mine = _with(found, claimed_until=now_ms + CLAIM_MS, fence=found.fence + 1)
            tx.put(self.table, [self.row(mine)])
            return mine

        # looked at first, so that those who come too late write nothing
        return store.write(work) if store.read(free) else None

    def extend(self, store: Store, mine: C, now_ms: int) -> bool:
        """Have it for longer, as if it were claimed now. False when the claim has passed to another meanwhile."""

        def work(tx: Writing) -> bool:
            found = self.find(tx, mine.id)
            if found is None or found.fence != mine.fence:
                return False
            tx.put(self.table, [self.row(_with(found, claimed_until=now_ms + CLAIM_MS))])
            return True

        return store.write(work)

    def end(self, store: Store, done: C) -> bool:
        """Write what has become of it, and give the claim up. False when the claim has passed to another meanwhile."""

        def work(tx: Writing) -> bool:
            found = self.find(tx, done.id)
            if found is None or found.fence != done.fence:
                return False
            tx.put(self.table, [self.row(_with(done, claimed_until=0))])
            return True

        return store.write(work)

    def failed(self, store: Store, mine: C, fault: str, now_ms: int) -> bool:
        """Say that it failed, and let it be tried again later, each time after twice as long."""
        wait = min(FIRST_RETRY_MS << min(mine.attempts, 20), LONGEST_RETRY_MS)
        return self.end(store, _with(mine, attempts=mine.attempts + 1, due_at=now_ms + wait, fault=fault))


def _with(one: C, **changes: object) -> C:
    return replace(one, **changes)  # type: ignore[type-var]  # a protocol cannot ask for a dataclass
