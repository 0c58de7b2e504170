"""The fixpoint on arrays: who is down. Who among the rest is degraded is a second run (``degradation``).

Both go round by round. A cause is a row of ``projection.direct`` (its consumer fails with its provider), -2 - a slot
(a gate fell below its threshold), ``CUT_OFF`` or ``OWN``. Of several causes in one round any one is kept.

A round with many CIs is taken by the mass: what it closed is read off the whole column of CIs, in their order, which
costs less than keeping each CI apart from its repetitions and makes the next round read memory in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cmdb_server.analysis.certificate import OWN
from cmdb_server.analysis.partition import Dependencies, Sight, partitioned
from cmdb_server.analysis.reachability import reach
from cmdb_server.projection.columns import Bools, Ints, Longs, marked, spans
from cmdb_server.projection.network import Network
from cmdb_server.projection.ordered import distinct, united
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.scratch import Scratch

NOTHING: Longs = np.empty(0, np.int64)
NO_CAUSE: Ints = np.empty(0, np.int32)
CUT_OFF = np.iinfo(np.int32).min
"""The cause of those who have no path to a gateway left."""
UNTOLD = CUT_OFF + 1
"""No cause."""
MASS = 12
"""A round that looks at more than one in so many of the CIs is taken by the mass."""
WHOLE = 8
"""Losses of more than one in so many of the slots are noted by what every slot has left."""
DENSE = 4
"""A query that touched more than one in so many rows is cleaned up whole instead of row by row."""


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """What slots lost at ``rank``: each of ``slot``, repeated, ``weight``. ``left``: where they are many, what every slot
    may still lose after it."""

    rank: int
    slot: Longs
    weight: Ints
    left: Ints | None


@dataclass(slots=True, eq=False)
class Run:
    """CIs settled so far: a part for each round, with its rank and each CI's cause. ``hits``: slots as they were
    counted, repeated. ``counted_before``: CIs that count as lost already wherever losses are counted. ``cut``: dependencies
    partitioned, with the rank of each part; ``passed_over``: rows of ``projection.counted`` that were counted for that.
    ``second_path_lost``, ``gateway_unknown``: see ``Reach``."""

    projection: Projection
    scratch: Scratch
    parts: list[Longs] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)
    causes: list[Ints] = field(default_factory=list)
    hits: list[Longs] = field(default_factory=list)
    hit_whole: bool = False
    by_mass: bool = False
    counted_before: Bools | None = None
    cut: list[tuple[Dependencies, int]] = field(default_factory=list)
    passed_over: Bools | None = None
    second_path_lost: Longs = field(default_factory=lambda: NOTHING)
    gateway_unknown: Longs = field(default_factory=lambda: NOTHING)

    def settle(self, ci: Longs, cause: Ints, rank: int) -> None:
        """Note these CIs, closed by now, at ``rank``."""
        if len(ci):
            self.parts.append(ci)
            self.causes.append(cause)
            self.ranks.append(rank)

    def direct(self, frontier: Longs) -> tuple[Longs, Ints]:
        """(consumers that need one of ``frontier``, the row that says so); repeated, closed ones among them."""
        lists = self.projection.direct_of
        at = spans(lists.first, lists.last, frontier)
        return self.projection.direct.consumer.take(at).astype(np.int64), at

    def counted(self, frontier: Longs, rank: int | None = None) -> Longs:
        """The slots in which ``frontier``, lost at ``rank``, counts, their slack reduced; repeated where it counts
        repeatedly."""
        return self.take_off(self.counting(frontier), rank)

    def counting(self, frontier: Longs) -> Longs:
        """The rows of ``projection.counted`` by which ``frontier`` counts as lost from now on."""
        lists = self.projection.counted_of
        if self.counted_before is not None:
            frontier = frontier.take(marked(~self.counted_before.take(frontier)))
        at = spans(lists.first, lists.last, frontier).astype(np.int64)
        if self.passed_over is not None:
            at = at.take(marked(~self.passed_over.take(at)))
        return at

    def take_off(self, at: Longs, rank: int | None = None) -> Longs:
        """The slots of these rows of ``projection.counted``, their slack reduced; repeated. With a ``rank``, it is
        noted as a loss."""
        if not len(at):
            return NOTHING
        rows = self.projection.counted
        slot: Longs = rows.slot.take(at).astype(np.int64)
        weight = rows.weight.take(at)
        np.subtract.at(self.scratch.slack, slot, weight)
        if len(slot) * WHOLE <= (size := len(self.projection.slots)):
            self.hits.append(slot)
            loss: tuple[Longs, Ints, Ints | None] = (slot, weight, None)
        else:
            # What memory is not kept is used again while it is near.
            self.hit_whole = True
            loss = (NOTHING, NO_CAUSE, self.scratch.slack[:size].copy())
        if rank is not None:
            self.losses.append(Loss(rank, *loss))
        return slot

    def pass_over(self, at: Longs) -> None:
        """Count these rows of ``projection.counted`` no more."""
        if self.passed_over is None:
            self.passed_over = np.zeros(len(self.projection.counted), bool)
        self.passed_over[at] = True

    def close(self, *claims: tuple[Longs, Ints]) -> tuple[Longs, Ints]:
        """Of the CIs claimed, each with a cause, close those still open: (each once, its cause)."""
        open_, mark = self.scratch.open[: len(self.projection)], self.scratch.mark
        if sum(len(ci) for ci, _ in claims) * MASS > len(open_):
            told = mark[: len(open_)]
            if not self.by_mass:
                # From here on whoever is claimed is closed with the round: what says UNTOLD stays open.
                told.fill(UNTOLD)
                self.by_mass = True
            for ci, cause in claims:
                told[ci] = cause
            claimed = told != UNTOLD
            claimed &= open_
            new = marked(claimed)
            open_[new] = False
            return new, told.take(new)
        ci, cause = claims[0] if len(claims) == 1 else (np.concatenate(parts) for parts in zip(*claims, strict=True))
        free = marked(open_.take(ci))
        if not len(free):
            return NOTHING, NO_CAUSE
        new, cause = ci.take(free), cause.take(free)
        if len(new) > 1:
            place = np.arange(len(new), dtype=np.int32)
            mark[new] = place
            once = marked(mark.take(new) == place)
            if len(once) < len(new):
                new, cause = new.take(once), cause.take(once)
        open_[new] = False
        return new, cause

    def keep_slack(self) -> None:
        """Note in the scratch what the slots have left at last."""
        scratch, size = self.scratch, len(self.projection.slots)
        if self.hit_whole:
            scratch.last[:size] = scratch.slack[:size]
            return
        for part in self.hits:
            scratch.last[part] = scratch.slack.take(part)

    def held(self) -> Longs:
        """The slots hit so far whose consumers are open, each once, ascending."""
        slots, open_ = self.projection.slots, self.scratch.open
        if self.hit_whole:
            hit = self.scratch.slack[: len(slots)] != slots.slack
            return marked(hit & open_.take(slots.consumer))
        touched = distinct(joined(self.hits))
        return touched.take(marked(open_.take(slots.consumer.take(touched))))


def columns(runs: list[Run]) -> tuple[Longs, Ints, Ints]:
    """(CI, rank, cause) of all settled, in order of derivation."""
    parts = [part for run in runs for part in run.parts]
    causes = joined([part for run in runs for part in run.causes], np.int32)
    ranks, end = np.empty(len(causes), np.int32), 0
    for rank, part in zip((rank for run in runs for rank in run.ranks), parts, strict=True):
        ranks[end : (end := end + len(part))] = rank
    return joined(parts), ranks, causes


def spread_down(run: Run, failed: Longs, excluded: Longs = NOTHING, lost_before: Longs = NOTHING) -> None:
    """Settle all who are down when ``failed`` are. The least fixpoint, since slack only shrinks. ``excluded``, closed
    by now, serve whatever happens. ``lost_before``, none of them failed, are lost to the gates that count, and to these
    alone."""
    before = NOTHING
    if len(lost_before):
        before = run.counted(lost_before)
        run.counted_before = np.zeros(len(run.projection), bool)
        run.counted_before[lost_before] = True
    run.scratch.open[failed] = False
    run.settle(failed, np.full(len(failed), OWN, np.int32), 0)
    _dependents(run, failed, before, 0)
    network = run.projection.network()
    if network is not None:
        _cut_off(run, network, excluded)


def _cut_off(run: Run, network: Network, excluded: Longs) -> None:
    """Settle who has lost the way to every gateway, and who has lost the way to a provider, and who depends on them,
    until nothing changes."""
    down, fallen, seen, spared = np.zeros(len(run.projection), bool), NOTHING, 0, distinct(excluded)
    while True:
        for part in run.parts[seen:]:
            down[part] = True
        new = [part[network.matters[part]] for part in run.parts[seen:]]
        if not any(len(part) for part in new):
            return
        fallen, seen = united(fallen, *new), len(run.parts)
        found = reach(network, down, fallen)
        run.second_path_lost, run.gateway_unknown = found.second_path_lost, found.gateway_unknown
        open_ = run.scratch.open[: len(run.projection)]
        lost = found.lost.take(marked(open_.take(found.lost)))
        cut = _fresh(run, partitioned(run.projection, Sight(network, found.label, down), found.touched, open_, spared))
        if not len(lost) and not len(cut):
            return
        rank = run.ranks[-1] + 1
        counting = marked(cut.slot >= 0)
        before, direct = _part(run, cut.rows(counting), rank), cut.rows(cut.slot < 0)
        run.cut.append((cut, rank))
        run.scratch.open[lost] = False
        run.settle(lost, np.full(len(lost), CUT_OFF, np.int32), rank)
        _dependents(run, lost, before, rank, (direct.consumer, direct.row.astype(np.int32)))


def _fresh(run: Run, cut: Dependencies) -> Dependencies:
    """Those that were not partitioned before."""
    for known, _ in run.cut:
        cut = cut.rows(~(np.isin(cut.row, known.row[known.slot >= 0]) & (cut.slot >= 0)))
        cut = cut.rows(~(np.isin(cut.row, known.row[known.slot < 0]) & (cut.slot < 0)))
    return cut


def _part(run: Run, cut: Dependencies, rank: int) -> Longs:
    """Count the providers of these as lost to the gates that count: the slots hit, repeated."""
    if not len(cut):
        return NOTHING
    run.pass_over(cut.row)
    if run.counted_before is not None:
        cut = cut.rows(~run.counted_before[cut.provider])
    return run.take_off(cut.row, rank)


def _dependents(
    run: Run, frontier: Longs, before: Longs, rank: int, claimed: tuple[Longs, Ints] = (NOTHING, NO_CAUSE)
) -> None:
    """Settle all that follows from ``frontier``, settled at ``rank``, by gates. ``before``: slots hit already;
    ``claimed``: further CIs, with causes."""
    while len(frontier) or len(before) or len(claimed[0]):
        rank += 1
        claims = [run.direct(frontier)]
        if len(claimed[0]):
            claims.append(claimed)
            claimed = (NOTHING, NO_CAUSE)
        slot = run.counted(frontier, rank - 1)
        fired = _fired(run, np.concatenate((before, slot)) if len(before) else slot)
        before = NOTHING
        if len(fired):
            claims.append(by_slot(run.projection, fired))
        elif not any(len(ci) for ci, _ in claims):
            return
        frontier, cause = run.close(*claims)
        run.settle(frontier, cause, rank)


def by_slot(projection: Projection, slot: Longs) -> tuple[Longs, Ints]:
    """The consumers of ``slot``, claimed by it."""
    consumer = projection.slots.consumer.take(slot).astype(np.int64)
    return consumer, np.subtract(-2, slot, dtype=np.int32, casting="unsafe")


def _fired(run: Run, slot: Longs) -> Longs:
    """Those of ``slot`` that lost more than they may."""
    slack = run.scratch.slack
    if len(slot) * 2 > len(run.projection.slots):
        fired = marked(slack[: len(run.projection.slots)] < 0)
        # Their consumers are settled in this round: let them not fire again, far from any slack they had.
        slack[fired] += 1 << 30
        return fired
    return slot.take(marked(slack.take(slot) < 0)) if len(slot) else NOTHING


def clean(runs: list[Run], excluded: Longs) -> None:
    """Make the scratch as it was before the runs; where there are two, what the first lost was taken twice."""
    scratch, slack, size = runs[0].scratch, runs[0].projection.slots.slack, len(runs[0].projection)
    taken = (scratch.slack, scratch.then, scratch.last) if len(runs) > 1 else (scratch.slack,)
    if any(run.hit_whole for run in runs):
        for column in taken:
            column[: len(slack)] = slack
    else:
        for column in taken:
            for part in (part for run in runs for part in run.hits):
                column[part] = slack.take(part)
    if sum(len(part) for run in runs for part in run.parts) * DENSE > size:
        scratch.open.fill(True)
    else:
        for part in (part for run in runs for part in run.parts):
            scratch.open[part] = True
        scratch.open[excluded] = True


def joined(parts: list[Any], dtype: type = np.int64) -> Any:
    """One after the other."""
    return np.concatenate(parts) if len(parts) > 1 else parts[0] if parts else np.empty(0, dtype)
