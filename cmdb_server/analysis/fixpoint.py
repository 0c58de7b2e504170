"""The two runs of the fixpoint on arrays: who is down, then who among the rest is degraded.

Both go round by round. A cause is a row of ``projection.direct`` (its consumer fails with its provider), -2 - a slot
(a gate fell below its threshold), or ``OWN``. Of several causes in one round any one is kept.

A round with many CIs is taken by the mass: what it closed is read off the whole column of CIs, in their order, which
costs less than keeping each CI apart from its repetitions and makes the next round read memory in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cmdb_server.analysis.certificate import OWN
from cmdb_server.projection.columns import Bools, Ints, Longs, spans
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.scratch import Scratch

NOTHING: Longs = np.empty(0, np.int64)
NEVER = np.iinfo(np.int32).max
MASS = 50
"""A round that looks at more than one in so many of the CIs is taken by the mass."""
DENSE = 4
"""A query that touched more than one in so many rows is cleaned up whole instead of row by row."""


@dataclass(slots=True, eq=False)
class Run:
    """CIs settled so far: a part for each round, with its rank and each CI's cause. ``hits``: slots as they were
    counted, repeated. ``counted_before``: CIs that count as lost already wherever losses are counted."""

    projection: Projection
    scratch: Scratch
    parts: list[Longs] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)
    causes: list[Ints] = field(default_factory=list)
    hits: list[Longs] = field(default_factory=list)
    counted_before: Bools | None = None

    def settle(self, ci: Longs, cause: Ints, rank: int) -> None:
        """Note these CIs, closed by now, at ``rank``."""
        if len(ci):
            self.parts.append(ci)
            self.causes.append(cause)
            self.ranks.append(rank)

    def columns(self) -> tuple[Longs, Ints, Ints]:
        """(CI, rank, cause) of all settled, in order of derivation."""
        sizes = [len(part) for part in self.parts]
        causes = joined(self.causes, np.int32)
        return joined(self.parts), np.repeat(np.asarray(self.ranks, np.int32), sizes), causes

    def direct(self, frontier: Longs) -> tuple[Longs, Ints]:
        """(consumers that need one of ``frontier``, the row that says so); repeated, closed ones among them."""
        lists = self.projection.direct_of
        at = spans(lists.first, lists.last, frontier)
        return self.projection.direct.consumer.take(at).astype(np.int64), at

    def counted(self, frontier: Longs) -> Longs:
        """The slots in which ``frontier`` counts, their slack reduced; repeated where it counts repeatedly."""
        lists, rows = self.projection.counted_of, self.projection.counted
        if self.counted_before is not None:
            frontier = frontier.take(np.flatnonzero(~self.counted_before.take(frontier)))
        at = spans(lists.first, lists.last, frontier).astype(np.int64)
        if not len(at):
            return NOTHING
        slot: Longs = rows.slot.take(at).astype(np.int64)
        np.subtract.at(self.scratch.slack, slot, rows.weight.take(at))
        self.hits.append(slot)
        return slot

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
            return NOTHING, NOTHING.astype(np.int32)
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


def spread_down(run: Run, failed: Longs, lost_before: Longs = NOTHING) -> None:
    """Settle all who are down when ``failed`` are. The least fixpoint, since slack only shrinks. ``lost_before``, none
    of them failed, are lost to the gates that count, and to these alone."""
    before = NOTHING
    if len(lost_before):
        before = run.counted(lost_before)
        run.counted_before = np.zeros(len(run.projection), bool)
        run.counted_before[lost_before] = True
    run.scratch.open[failed] = False
    run.settle(failed, np.full(len(failed), OWN, np.int32), 0)
    frontier, rank = failed, 0
    while len(frontier) or len(before):
        rank += 1
        claims = [run.direct(frontier)]
        slot = run.counted(frontier)
        fired = _fired(run, np.concatenate((before, slot)) if len(before) else slot)
        before = NOTHING
        if len(fired):
            claims.append(_by_slot(run, fired))
        elif not len(claims[0][0]):
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


def spread_degraded(run: Run, own: Longs, held: Longs, lost: Ints, ranks: Ints) -> None:
    """Settle all who are degraded, given who is down. ``own`` are degraded by themselves. ``held``: the slots that lost
    ``lost`` and whose open consumers stand. ``ranks``: by CI, valid for those settled, ``NEVER`` for the excluded."""
    slots, slack, waiting = run.projection.slots, run.scratch.slack, _Waiting()
    waiting.add(0, own, np.full(len(own), OWN, np.int32))
    _await(run, waiting, held.take(np.flatnonzero(lost > slots.want_slack.take(held))), slots.want_slack, ranks)
    while waiting.rounds:
        rank, claims = waiting.next()
        frontier, cause = run.close(*claims)
        run.settle(frontier, cause, rank)
        if not len(frontier):
            continue
        ranks[frontier] = rank
        waiting.add(rank + 1, *run.direct(frontier))
        slot = run.counted(frontier)
        floor = slots.slack.take(slot) - slots.full_slack.take(slot)
        fired = slot.take(np.flatnonzero(slack.take(slot) < floor))
        fired = fired.take(np.flatnonzero(run.scratch.open.take(slots.consumer.take(fired))))
        _await(run, waiting, distinct(fired), slots.full_slack, ranks)


@dataclass(slots=True, eq=False)
class _Waiting:
    """Claims on CIs that will be degraded, by the round in which they will be."""

    rounds: dict[int, list[tuple[Longs, Ints]]] = field(default_factory=dict)

    def add(self, rank: int, ci: Longs, cause: Ints) -> None:
        if len(ci):
            self.rounds.setdefault(rank, []).append((ci, cause))

    def next(self) -> tuple[int, list[tuple[Longs, Ints]]]:
        rank = min(self.rounds)
        return rank, self.rounds.pop(rank)


def _await(run: Run, waiting: _Waiting, slot: Longs, slack: Ints, ranks: Ints) -> None:
    """Let the consumers of ``slot`` wait for the round after the one in which what was lost passed ``slack``."""
    if not len(slot):
        return
    rank = _passed(run, slot, slack.take(slot), ranks)
    for value in np.flatnonzero(np.bincount(rank)).tolist():
        waiting.add(value + 1, *_by_slot(run, slot.take(np.flatnonzero(rank == value))))


def _passed(run: Run, slot: Longs, slack: Ints, ranks: Ints) -> Ints:
    """For each slot the lowest rank by which its settled members together exceed ``slack``."""
    gates, members = run.projection.gates, run.projection.members
    gate = run.projection.slots.gate.take(slot)
    first, last = gates.first.take(gate), gates.last.take(gate)
    at = spans(gates.first, gates.last, gate)
    provider = members.provider.take(at)
    rank = np.where(run.scratch.open.take(provider), NEVER, ranks.take(provider))
    start = np.cumsum(last - first) - (last - first)
    passed: Ints = np.minimum.reduceat(rank, start)
    several = np.flatnonzero(slack > 0)
    if len(several):
        size = (last - first).take(several)
        row = spans(start, start + last - first, several)
        owner = np.repeat(np.arange(len(several)), size)
        weighs = run.projection.weighs()
        weighs = weighs.take(gates.rule.take(gate.take(several)))
        weight = np.where(weighs.take(owner), members.weight.take(at.take(row)), 1)
        passed[several] = _accumulated(owner, rank.take(row), weight, slack.take(several))
    return passed


def _accumulated(owner: Longs, rank: Ints, weight: Ints, slack: Ints) -> Ints:
    """For each owner the rank at which the sum of its weights, in order of rank, exceeds its slack."""
    never = int(rank[rank < NEVER].max()) + 1
    order = _order(owner, np.minimum(rank, never))
    total = np.cumsum(weight.take(order), dtype=np.int64)
    start = np.searchsorted(owner, np.arange(len(slack)))
    before = np.append(0, total)[start]
    over = np.flatnonzero(total > (before + slack).take(owner))
    whose = owner.take(over)
    first = over.take(np.flatnonzero(np.append(True, whose[1:] != whose[:-1])))
    accumulated: Ints = rank.take(order.take(first))
    return accumulated


def _order(major: Longs, minor: Ints) -> Longs:
    """By ``major``, which ascends already, then ``minor``. In one sort of words where they fit into one."""
    low, high = len(major).bit_length(), int(minor.max()).bit_length()
    if int(major[-1]).bit_length() + high + low > 62:
        return np.lexsort((minor, major))
    word: Longs = (((major << high) | minor) << low) | np.arange(len(major))
    word.sort()
    word &= (1 << low) - 1
    return word


def clean(runs: list[Run], excluded: Longs) -> None:
    """Make the scratch as it was before the runs."""
    scratch, slack, size = runs[0].scratch, runs[0].projection.slots.slack, len(runs[0].projection)
    if sum(len(part) for run in runs for part in run.hits) * DENSE > len(slack):
        scratch.slack[: len(slack)] = slack
    else:
        for run in runs:
            for part in run.hits:
                scratch.slack[part] = slack.take(part)
    if sum(len(part) for run in runs for part in run.parts) * DENSE > size:
        scratch.open.fill(True)
    else:
        for run in runs:
            for part in run.parts:
                scratch.open[part] = True
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
