"""The second run of the fixpoint: who among those not down is degraded.

What the first run took from the gates is taken once more, round by round, so that each gate passes in the round in which
it really had lost enough; what it loses of degraded members is kept apart from that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.certificate import OWN
from cmdb_server.analysis.fixpoint import NO_CAUSE, NOTHING, Run, by_slot
from cmdb_server.analysis.partition import Cut, Dependencies
from cmdb_server.projection.columns import Bools, Ints, Longs, marked
from cmdb_server.projection.ordered import distinct

FEW = 100
"""Fewer rows than that are counted as they are, whoever is settled by now."""


def spread_degraded(run: Run, own: Longs, first: Run, held: Longs, cut: Cut) -> None:
    """Settle all who are degraded, given who is down by the run ``first``. ``own`` are degraded by themselves. ``held``:
    the slots that lost anything and whose open consumers stand."""
    slots, slack = run.projection.slots, run.scratch.slack
    replay = _Replay.of(run, first, held, cut)
    claims, rank = [(own, np.full(len(own), OWN, np.int32))], 0
    while claims or rank < replay.end:
        frontier, cause = run.close(*claims) if claims else (NOTHING, NO_CAUSE)
        run.settle(frontier, cause, rank)
        wanting = replay.round(run, rank)
        slot = np.concatenate((run.take_off(_unsettled(run, run.counting(frontier))), replay.parted(run, rank)))
        # With all that they lose in the end these pass; whether they do by now is seen next.
        floor = slots.slack.take(slot) - slots.full_slack.take(slot)
        slot = slot.take(marked(slack.take(slot) < floor))
        passed = replay.passed(run, slot, rank)
        claims = [run.direct(frontier), by_slot(run.projection, passed), by_slot(run.projection, wanting)]
        claims = [claim for claim in claims if len(claim[0])]
        rank = rank + 1 if claims else replay.next(rank)


def _unsettled(run: Run, at: Longs) -> Longs:
    """Of these rows of ``projection.counted``, those of gates whose consumers are open."""
    if len(at) < FEW:
        return at
    consumer = run.projection.slots.consumer.take(run.projection.counted.slot.take(at))
    return at.take(marked(run.scratch.open.take(consumer)))


@dataclass(slots=True, eq=False)
class _Replay:
    """What the first run took, by round. ``wanting``: slots, still open, whose losses alone will leave them degraded;
    ``then``: what each slot had left by now. ``waiting``: those that will be so for
    members degraded by now as well. ``apart``: members cut off that are not
    down, with their ranks: degraded members too may be among them, which must not count twice."""

    first: Run
    then: Ints
    wanting: Longs
    waiting: Longs
    apart: Dependencies
    rank: Longs
    lost_apart: Longs | None
    place: int = 0

    @classmethod
    def of(cls, run: Run, first: Run, held: Longs, cut: Cut) -> _Replay:
        slots, scratch = run.projection.slots, run.scratch
        lost = slots.slack.take(held) - scratch.slack.take(held)
        wanting = held.take(marked(lost > slots.want_slack.take(held)))
        if not len(cut):
            return cls(first, scratch.then, wanting, NOTHING, cut.dependencies, cut.rank, None)
        found = cut.dependencies
        standing: Bools = (found.slot >= 0) & scratch.open.take(found.provider)
        apart = found.rows(standing)
        weight = np.zeros(len(slots), np.int32)
        np.add.at(weight, apart.slot, run.projection.counted.weight.take(apart.row))
        scratch.slack[held] += weight.take(held)
        scratch.last[held] += weight.take(held)
        gone = np.zeros(len(slots), np.int64)
        return cls(first, scratch.then, wanting, NOTHING, apart, cut.rank[standing], gone)

    @property
    def end(self) -> int:
        """The round after the last one."""
        return self.first.losses[-1].rank + 1 if self.first.losses else 0

    def next(self, rank: int) -> int:
        """The next round in which anything was lost, or the end."""
        return self.first.losses[self.place].rank if self.place < len(self.first.losses) else max(self.end, rank + 1)

    def round(self, run: Run, rank: int) -> Longs:
        """Take what was lost in this round. The slots of which less is left than they want, repeated."""
        parts = []
        while self.place < len(self.first.losses) and self.first.losses[self.place].rank == rank:
            loss = self.first.losses[self.place]
            self.place += 1
            if loss.left is None:
                np.subtract.at(self.then, loss.slot, loss.weight)
                parts.append(loss.slot)
            else:
                # Nobody needs it any more as it was.
                self.then = loss.left
                parts.append(self.wanting)
        if not parts:
            return NOTHING
        slots, slot = run.projection.slots, np.concatenate(parts)
        short = slots.slack.take(slot) - self.then.take(slot) > slots.want_slack.take(slot)
        if parts[-1] is self.wanting:
            self.wanting = self.wanting.take(marked(~short[len(slot) - len(self.wanting) :]))
        return slot.take(marked(short))

    def _open(self, run: Run, slot: Longs) -> Longs:
        return slot.take(marked(run.scratch.open.take(run.projection.slots.consumer.take(slot))))

    def parted(self, run: Run, rank: int) -> Longs:
        """Those cut off in this round, and not degraded yet, count as degraded in this respect; then no more. The slots
        that lose them."""
        if self.lost_apart is None:
            return NOTHING
        fresh = self.apart.rows(self.rank == rank)
        np.add.at(self.lost_apart, fresh.slot, run.projection.counted.weight.take(fresh.row))
        row = fresh.row[run.scratch.open.take(fresh.provider)]
        run.pass_over(row)
        return run.take_off(row)

    def passed(self, run: Run, slot: Longs, rank: int) -> Longs:
        """Of ``slot``, which lose more than they may, and those that wait: which have by now, and are open."""
        slot = self._open(run, np.append(slot, self.waiting))
        if rank + 1 >= self.end or not len(slot):
            return slot
        slots, scratch = run.projection.slots, run.scratch
        soft = slots.slack.take(slot) - self.then.take(slot) + scratch.last.take(slot) - scratch.slack.take(slot)
        if self.lost_apart is not None:
            # These are among the lost already, and came once more as if degraded.
            soft -= self.lost_apart.take(slot)
        passed = soft > slots.full_slack.take(slot)
        self.waiting = distinct(slot.take(marked(~passed)))
        return slot.take(marked(passed))
