"""The two runs of the fixpoint on arrays: who is down, then who among the rest is degraded.

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
from cmdb_server.analysis.partition import Cut, Dependencies, Sight, partitioned
from cmdb_server.analysis.reachability import reach
from cmdb_server.projection.columns import Bools, Ints, Longs, spans
from cmdb_server.projection.network import Network
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.scratch import NEVER, Scratch

NOTHING: Longs = np.empty(0, np.int64)
NO_CAUSE: Ints = np.empty(0, np.int32)
CUT_OFF = np.iinfo(np.int32).min
"""The cause of those who have no path to a gateway left."""
MASS = 50
"""A round that looks at more than one in so many of the CIs is taken by the mass."""
DENSE = 4
"""A query that touched more than one in so many rows is cleaned up whole instead of row by row."""


@dataclass(slots=True, eq=False)
class Run:
    """CIs settled so far: a part for each round, with its rank and each CI's cause. ``hits``: slots as they were
    counted, repeated. ``counted_before``: CIs that count as lost already wherever losses are counted. ``cut``: dependencies
    partitioned, with the rank of each part; ``passed_over``: rows of ``projection.counted`` that were counted for that.
    ``second_path_lost``, ``gateway_unknown``: see ``Reach``."""

    projection: Projection
    scratch: Scratch
    parts: list[Longs] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)
    causes: list[Ints] = field(default_factory=list)
    hits: list[Longs] = field(default_factory=list)
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

    def note_ranks(self) -> None:
        """Write the ranks into the scratch."""
        for part, rank in zip(self.parts, self.ranks, strict=True):
            self.scratch.ranks[part] = rank

    def direct(self, frontier: Longs) -> tuple[Longs, Ints]:
        """(consumers that need one of ``frontier``, the row that says so); repeated, closed ones among them."""
        lists = self.projection.direct_of
        at = spans(lists.first, lists.last, frontier)
        return self.projection.direct.consumer.take(at).astype(np.int64), at

    def counted(self, frontier: Longs) -> Longs:
        """The slots in which ``frontier`` counts, their slack reduced; repeated where it counts repeatedly."""
        lists = self.projection.counted_of
        if self.counted_before is not None:
            frontier = frontier.take(np.flatnonzero(~self.counted_before.take(frontier)))
        at = spans(lists.first, lists.last, frontier).astype(np.int64)
        if self.passed_over is not None:
            at = at.take(np.flatnonzero(~self.passed_over.take(at)))
        return self.take_off(at)

    def take_off(self, at: Longs) -> Longs:
        """The slots of these rows of ``projection.counted``, their slack reduced; repeated."""
        if not len(at):
            return NOTHING
        rows = self.projection.counted
        slot: Longs = rows.slot.take(at).astype(np.int64)
        np.subtract.at(self.scratch.slack, slot, rows.weight.take(at))
        self.hits.append(slot)
        return slot

    def pass_over(self, at: Longs) -> None:
        """Count these rows of ``projection.counted`` no more."""
        if self.passed_over is None:
            self.passed_over = np.zeros(len(self.projection.counted), bool)
        self.passed_over[at] = True

    def close(self, *claims: tuple[Longs, Ints]) -> tuple[Longs, Ints]:
        """Of the CIs claimed, each with a cause, close those still open: (each once, its cause)."""
        open_, mark = self.scratch.open, self.scratch.mark
        if sum(len(ci) for ci, _ in claims) * MASS > len(open_):
            before = open_.copy()
            for ci, cause in claims:
                mark[ci] = cause
                open_[ci] = False
            before ^= open_
            new = np.flatnonzero(before)
            return new, mark.take(new)
        ci, cause = claims[0] if len(claims) == 1 else (np.concatenate(parts) for parts in zip(*claims, strict=True))
        free = np.flatnonzero(open_.take(ci))
        if not len(free):
            return NOTHING, NO_CAUSE
        new, cause = ci.take(free), cause.take(free)
        if len(new) > 1:
            place = np.arange(len(new), dtype=np.int32)
            mark[new] = place
            once = np.flatnonzero(mark.take(new) == place)
            if len(once) < len(new):
                new, cause = new.take(once), cause.take(once)
        open_[new] = False
        return new, cause

    def touched(self) -> Longs:
        """The slots hit so far, each once."""
        slack = self.projection.slots.slack
        if sum(map(len, self.hits)) * DENSE > len(slack):
            return np.flatnonzero(self.scratch.slack[: len(slack)] != slack)
        return distinct(joined(self.hits))


def columns(runs: list[Run]) -> tuple[Longs, Ints, Ints]:
    """(CI, rank, cause) of all settled, in order of derivation."""
    parts = [part for run in runs for part in run.parts]
    ranks = np.asarray([rank for run in runs for rank in run.ranks], np.int32)
    causes = joined([part for run in runs for part in run.causes], np.int32)
    return joined(parts), np.repeat(ranks, [len(part) for part in parts]), causes


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
    down, seen = np.zeros(len(run.projection), bool), 0
    spared = np.zeros(len(run.projection), bool)
    spared[excluded] = True
    while any(network.matters.take(part).any() for part in run.parts[seen:]):
        for part in run.parts[seen:]:
            down[part] = True
        seen = len(run.parts)
        found = reach(network, down)
        run.second_path_lost, run.gateway_unknown = found.second_path_lost, found.gateway_unknown
        open_ = run.scratch.open[: len(run.projection)]
        lost = found.lost.take(np.flatnonzero(open_.take(found.lost)))
        cut = _fresh(run, partitioned(run.projection, Sight(network, found.label, down), found.touched, open_, spared))
        if not len(lost) and not len(cut):
            return
        rank = run.ranks[-1] + 1
        counting = np.flatnonzero(cut.slot >= 0)
        before, direct = _part(run, cut.rows(counting)), cut.rows(cut.slot < 0)
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


def _part(run: Run, cut: Dependencies) -> Longs:
    """Count the providers of these as lost to the gates that count: the slots hit, repeated."""
    if not len(cut):
        return NOTHING
    run.pass_over(cut.row)
    if run.counted_before is not None:
        cut = cut.rows(~run.counted_before[cut.provider])
    return run.take_off(cut.row)


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
        slot = run.counted(frontier)
        fired = _fired(run, np.concatenate((before, slot)) if len(before) else slot)
        before = NOTHING
        if len(fired):
            claims.append(_by_slot(run, fired))
        elif not any(len(ci) for ci, _ in claims):
            return
        frontier, cause = run.close(*claims)
        run.settle(frontier, cause, rank)


def _by_slot(run: Run, slot: Longs) -> tuple[Longs, Ints]:
    """The consumers of ``slot``, claimed by it."""
    consumer = run.projection.slots.consumer.take(slot).astype(np.int64)
    return consumer, np.subtract(-2, slot, dtype=np.int32, casting="unsafe")


def _fired(run: Run, slot: Longs) -> Longs:
    """Those of ``slot`` that lost more than they may."""
    slack = run.scratch.slack
    if len(slot) * 2 > len(run.projection.slots):
        fired = np.flatnonzero(slack[: len(run.projection.slots)] < 0)
        # Their consumers are settled in this round: let them not fire again, far from any slack they had.
        slack[fired] += 1 << 30
        return fired
    return slot.take(np.flatnonzero(slack.take(slot) < 0)) if len(slot) else NOTHING


def spread_degraded(run: Run, own: Longs, held: Longs, lost: Ints, cut: Cut) -> None:
    """Settle all who are degraded, given who is down, whose ranks the scratch has, and what is ``cut``. ``own`` are
    degraded by themselves. ``held``: the slots, ascending, that lost ``lost`` and whose open consumers stand."""
    slots, slack = run.projection.slots, run.scratch.slack
    # What is down falls once more, in these slots alone, so that each is passed in the round in which it really was.
    slack[held] += lost
    replay, left = _Replay.of(run, held, cut), slots.want_slack.take(held)
    claims, rank = [(own, np.full(len(own), OWN, np.int32))], 0
    while claims or rank < replay.end:
        frontier, cause = run.close(*claims) if claims else (NOTHING, NO_CAUSE)
        run.settle(frontier, cause, rank)
        part = replay.part(rank)
        hit, place, weight = replay.slot[part], replay.place[part], replay.weight[part]
        np.subtract.at(left, place, weight)
        if len(cut):
            weight = _not_counted(run, weight, replay.row[part], replay.provider[part])
        np.subtract.at(slack, hit, weight)
        slot = np.concatenate((run.counted(frontier), hit)) if len(hit) else run.counted(frontier)
        floor = slots.slack.take(slot) - slots.full_slack.take(slot)
        passed = slot.take(np.flatnonzero(slack.take(slot) < floor))
        wanting = hit.take(np.flatnonzero(left.take(place) < 0))
        claims = [run.direct(frontier), _by_slot(run, passed), _by_slot(run, wanting)]
        claims = [claim for claim in claims if len(claim[0])]
        rank = rank + 1 if claims else replay.next(rank)


def _not_counted(run: Run, weight: Ints, row: Longs, provider: Ints) -> Ints:
    """``weight``, 0 for members cut off, by ``row`` of ``projection.counted``, that count as degraded already; those
    that do not yet never will."""
    counts = (row < 0) | run.scratch.open.take(provider) | (run.scratch.ranks.take(provider) < NEVER)
    run.pass_over(row[counts & (row >= 0)])
    return weight * counts


@dataclass(frozen=True, slots=True, eq=False)
class _Replay:
    """Members of some slots that are down or cut off, by the round in which it happened. ``place``: of the slot among
    those. ``row``: of ``projection.counted`` for those cut off, else -1; ``row`` and ``provider`` are empty where nobody
    is."""

    slot: Longs
    place: Longs
    weight: Ints
    row: Longs
    provider: Ints
    bounds: Longs

    @classmethod
    def of(cls, run: Run, slot: Longs, cut: Cut) -> _Replay:
        gates, members = run.projection.gates, run.projection.members
        gate = run.projection.slots.gate.take(slot)
        at = spans(gates.first, gates.last, gate)
        rank = run.scratch.ranks.take(members.provider.take(at))
        size = gates.last.take(gate) - gates.first.take(gate)
        row, provider = NOTHING, NO_CAUSE
        if len(cut):
            provider = members.provider.take(at)
            row = cut.sooner(rank, np.repeat(slot, size), provider)
        down = np.flatnonzero(rank < NEVER)
        rank = rank.take(down)
        bounds = np.append(0, np.cumsum(np.bincount(rank)))
        # Numbers of 16 bits are sorted by their digits.
        down = down.take(np.argsort(rank.astype(np.uint16) if len(bounds) < 1 << 16 else rank, kind="stable"))
        place = np.repeat(np.arange(len(slot)), size).take(down)
        weighs = run.projection.weighs().take(gates.rule.take(gate)).take(place)
        weight = np.where(weighs, members.weight.take(at.take(down)), 1)
        if len(cut):
            row, provider = row.take(down), provider.take(down)
        return cls(slot.take(place), place, weight, row, provider, bounds)

    @property
    def end(self) -> int:
        """The round after the last one."""
        return len(self.bounds) - 1

    def part(self, rank: int) -> slice:
        """The rows of the members that were lost in this round."""
        if rank >= self.end:
            return slice(0, 0)
        return slice(int(self.bounds[rank]), int(self.bounds[rank + 1]))

    def next(self, rank: int) -> int:
        """The next round in which anyone fell, or the end."""
        return int(np.searchsorted(self.bounds, self.bounds[min(rank + 1, self.end)], "right")) - 1


def clean(runs: list[Run], excluded: Longs) -> None:
    """Make the scratch as it was before the runs; where there are two, the ranks of the first were written."""
    scratch, slack, size = runs[0].scratch, runs[0].projection.slots.slack, len(runs[0].projection)
    if sum(len(part) for run in runs for part in run.hits) * DENSE > len(slack):
        scratch.slack[: len(slack)] = slack
    else:
        for run in runs:
            for part in run.hits:
                scratch.slack[part] = slack.take(part)
    if sum(len(part) for run in runs for part in run.parts) * DENSE > size:
        scratch.open.fill(True)
        if len(runs) > 1:
            scratch.ranks.fill(NEVER)
    else:
        for run in runs:
            for part in run.parts:
                scratch.open[part] = True
        for part in runs[0].parts if len(runs) > 1 else ():
            scratch.ranks[part] = NEVER
        scratch.open[excluded] = True


def joined(parts: list[Any], dtype: type = np.int64) -> Any:
    """One after the other."""
    return np.concatenate(parts) if len(parts) > 1 else parts[0] if parts else np.empty(0, dtype)


def distinct(numbers: Longs) -> Longs:
    """Each once, ascending."""
    if len(numbers) < 2:
        return numbers
    ordered = np.sort(numbers)
    return ordered.take(np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])))
