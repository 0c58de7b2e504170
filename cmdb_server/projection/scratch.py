"""The mutable state of one query, pooled: as large as the estate, so making it anew would cost more than most answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from cmdb_server.projection.columns import Bools, Ints

if TYPE_CHECKING:
    from cmdb_server.projection.projection import Projection


class Scratch:
    """``open``: CIs not settled yet, all true between queries. ``slack``: what each slot may still lose;
    ``then`` and ``last``: what it might some rounds ago, and at the end of a run; all as in ``Slots`` between queries. ``mark``: any content."""

    def __init__(self, cis: int, slack: Ints, slots: int) -> None:
        self.open: Bools = np.ones(cis, bool)
        self.mark: Ints = np.empty(cis, np.int32)
        self.slack: Ints = np.empty(slots, np.int32)
        self.slots = len(slack)
        self.then: Ints = np.empty(slots, np.int32)
        self.last: Ints = np.empty(slots, np.int32)
        for column in (self.slack, self.then, self.last):
            column[: self.slots] = slack

    def reach(self, slack: Ints) -> None:
        """Take over the slots that newer projections added."""
        for column in (self.slack, self.then, self.last):
            column[self.slots : len(slack)] = slack[self.slots :]
        self.slots = max(self.slots, len(slack))


class Pool:
    """Scratches of the projections that share their columns. Safe for threads."""

    def __init__(self) -> None:
        self._free: list[Scratch] = []
        self._lock = Lock()

    @contextmanager
    def lent(self, projection: Projection) -> Iterator[Scratch]:
        """A clean scratch large enough. It goes back only when the query ended well: a broken one is dropped."""
        scratch = self._take(projection)
        yield scratch
        with self._lock:
            self._free.append(scratch)

    def _take(self, projection: Projection) -> Scratch:
        cis, slack = len(projection), projection.slots.slack
        with self._lock:
            scratch = self._free.pop() if self._free else None
        if scratch is None or len(scratch.open) < cis or len(scratch.slack) < len(slack):
            return Scratch(cis + cis // 4 + 64, slack, len(slack) + len(slack) // 4 + 64)
        scratch.reach(slack)
        return scratch
