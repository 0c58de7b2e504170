"""The two runs of the fixpoint on arrays: who is down, then who among the rest is degraded.

Both go round by round. A cause is a row of ``projection.direct`` (its consumer fails with its provider), -2 - a slot
(a gate fell below its threshold), or ``OWN``. Of several causes in one round any one is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cmdb_server.analysis.certificate import OWN
from cmdb_server.projection.columns import Ints, Longs, spans
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.scratch import Scratch

NOTHING: Longs = np.empty(0, np.int64)
NEVER = np.iinfo(np.int32).max
DENSE = 4
"""A query that touched more than a quarter of all slots is cleaned up by copying instead of slot by slot."""


@dataclass(slots=True, eq=False)
class Run:
    """CIs settled so far: a part for each round, with its rank and each CI's cause. ``hits``: slots as they were
    counted, repeated."""

    projection: Projection
    scratch: Scratch
    parts: list[Longs] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)
    causes: list[Longs] = field(default_factory=list)
    hits: list[Longs] = field(default_factory=list)

    def settle(self, ci: Longs, cause: Longs, rank: int) -> Longs:
        """Close these CIs at ``rank``."""
        if len(ci):
            self.scratch.open[ci] = False
            self.parts.append(ci)
            self.causes.append(cause)
            self.ranks.append(rank)
        return ci

    def columns(self) -> tuple[Longs, Ints, Longs]:
        """(CI, rank, cause) of all settled, in order of derivation."""
        if not self.parts:
            return NOTHING, NOTHING.astype(np.int32), NOTHING
        sizes = [len(part) for part in self.parts]
        return np.concatenate(self.parts), np.repeat(np.asarray(self.ranks, np.int32), sizes), joined(self.causes)

    def direct(self, frontier: Longs) -> tuple[Longs, Longs]:
        """(open consumers that need one of ``frontier``, the row that says so)."""
        lists, rows = self.projection.direct_of, self.projection.direct
        at, _ = spans(lists.first, lists.last, frontier)
        if not len(at):
            return NOTHING, NOTHING
        return self.once(rows.consumer.take(at).astype(np.int64), at)

    def counted(self, frontier: Longs) -> Longs:
        """The slots in which ``frontier`` counts, their slack reduced; repeated where it counts repeatedly."""
        lists, rows = self.projection.counted_of, self.projection.counted
        at, _ = spans(lists.first, lists.last, frontier)
        if not len(at):
            return NOTHING
        slot = rows.slot.take(at).astype(np.int64)
        np.subtract.at(self.scratch.slack, slot, rows.weight.take(at))
        self.hits.append(slot)
        return slot

    def once(self, ci: Longs, cause: Longs) -> tuple[Longs, Longs]:
        """Those still open, each once. Causes must differ among themselves or belong to one CI."""
        free = np.flatnonzero(self.scratch.open.take(ci))
        ci, cause = ci.take(free), cause.take(free)
        mark = self.scratch.mark
        place = np.arange(len(ci))
        mark[ci] = place
        kept = np.flatnonzero(mark.take(ci) == place)
        return ci.take(kept), cause.take(kept)

    def touched(self) -> Longs:
        """The slots hit so far, each once."""
        slack = self.projection.slots.slack
        if sum(map(len, self.hits)) * DENSE > len(slack):
            return np.flatnonzero(self.scratch.slack[: len(slack)] != slack)
        return np.unique(joined(self.hits))


def spread_down(run: Run, failed: Longs) -> None:
    """Settle all who are down when ``failed`` are. The least fixpoint, since slack only shrinks."""
    slots, scratch = run.projection.slots, run.scratch
    frontier, rank = run.settle(failed, np.full(len(failed), OWN), 0), 0
    while len(frontier):
        rank += 1
        slot = run.counted(frontier)
        followers, cause = run.direct(frontier)
        frontier = run.settle(followers, cause, rank)
        if len(slot):
            fired = slot.take(np.flatnonzero(scratch.slack.take(slot) < 0))
            counted, by = run.once(slots.consumer.take(fired).astype(np.int64), fired)
            run.settle(counted, -2 - by, rank)
            frontier = np.concatenate((frontier, counted)) if len(counted) else frontier


def spread_degraded(run: Run, own: Longs, held: Longs, lost: Ints, ranks: Ints) -> None:
    """Settle all who are degraded, given who is down. ``own`` are degraded by themselves. ``held``: the slots that lost
    ``lost`` and whose open consumers stand. ``ranks``: by CI, valid for those settled, ``NEVER`` for the excluded."""
    slots, scratch = run.projection.slots, run.scratch
    waiting = _Waiting()
    waiting.add(np.zeros(len(own), np.int64), own, np.full(len(own), OWN))
    below = np.flatnonzero(lost > slots.want_slack[held])
    _await(run, waiting, held[below], slots.want_slack, ranks)
    while waiting.rounds:
        rank, ci, cause = waiting.next()
        ci, cause = run.once(ci, cause)
        frontier = run.settle(ci, cause, rank)
        ranks[frontier] = rank
        if not len(frontier):
            continue
        waiting.add_at(rank + 1, *run.direct(frontier))
        slot = run.counted(frontier)
        floor = slots.slack.take(slot) - slots.full_slack.take(slot)
        fired = slot.take(np.flatnonzero(scratch.slack.take(slot) < floor))
        fired = fired.take(np.flatnonzero(scratch.open.take(slots.consumer.take(fired))))
        _await(run, waiting, np.unique(fired), slots.full_slack, ranks)


@dataclass(slots=True, eq=False)
class _Waiting:
    """CIs that will be degraded, by the round in which they will be."""

    rounds: dict[int, list[tuple[Longs, Longs]]] = field(default_factory=dict)

    def add(self, rank: Longs, ci: Longs, cause: Longs) -> None:
        for value in np.unique(rank).tolist():
            rows = np.flatnonzero(rank == value)
            self.add_at(value, ci[rows], cause[rows])

    def add_at(self, rank: int, ci: Longs, cause: Longs) -> None:
        if len(ci):
            self.rounds.setdefault(rank, []).append((ci, cause))

    def next(self) -> tuple[int, Longs, Longs]:
        rank = min(self.rounds)
        parts = self.rounds.pop(rank)
        return rank, joined([ci for ci, _ in parts]), joined([cause for _, cause in parts])


def _await(run: Run, waiting: _Waiting, slot: Longs, slack: Ints, ranks: Ints) -> None:
    """Let the consumers of ``slot`` wait for the round after the one in which what was lost passed ``slack``."""
    if len(slot):
        rank = _passed(run, slot, slack[slot], ranks)
        waiting.add(rank + 1, run.projection.slots.consumer[slot].astype(np.int64), -2 - slot)


def _passed(run: Run, slot: Longs, slack: Ints, ranks: Ints) -> Longs:
    """For each slot the lowest rank by which its settled members together exceed ``slack``."""
    projection = run.projection
    gate = projection.slots.gate[slot]
    at, owner = spans(projection.gates.first, projection.gates.last, gate)
    provider = projection.members.provider.take(at)
    gone = np.flatnonzero(~run.scratch.open.take(provider))
    at, owner, rank = at[gone], owner[gone], ranks.take(provider[gone]).astype(np.int64)
    weighs = np.asarray([rule.weighs for rule in projection.rules.gates.values])[projection.gates.rule[gate]]
    weight = np.where(weighs[owner], projection.members.weight.take(at), 1)
    order = np.lexsort((rank, owner))
    owner, rank, total = owner[order], rank[order], np.cumsum(weight[order], dtype=np.int64)
    first = np.searchsorted(owner, np.arange(len(slot)))
    before = np.append(0, total)[first]
    over = np.flatnonzero(total - before[owner] > slack[owner])
    which, place = np.unique(owner[over], return_index=True)
    assert len(which) == len(slot)
    passed: Longs = rank[over[place]]
    return passed


def clean(run: Run, touched: Longs, also: tuple[Longs, ...]) -> None:
    """Make the scratch as it was: ``touched`` slots, settled CIs and ``also``."""
    slack, scratch = run.projection.slots.slack, run.scratch
    if len(touched) * DENSE > len(slack):
        scratch.slack[: len(slack)] = slack
    else:
        scratch.slack[touched] = slack[touched]
    for ci in (*run.parts, *also):
        scratch.open[ci] = True


def joined(parts: list[Longs]) -> Longs:
    return np.concatenate(parts) if len(parts) > 1 else parts[0] if parts else NOTHING
