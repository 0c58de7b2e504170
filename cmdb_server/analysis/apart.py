"""Failures that meet nowhere are answered apart, once each, and their answers laid together.

Each answer is a fixpoint. Laid together, the worse state of two counting, they are one too unless some gate that counts
has lost so much to several of them together that it would be worse than what any of them says of its consumer. Losses
are added up without looking whether two answers lost the same member: that is never too little. Failures that may meet
so are answered together, and so on. Where links are cut everything is: ways know no sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cmdb_server.analysis.fixpoint import NOTHING
from cmdb_server.analysis.impact import Impact, impact
from cmdb_server.model.gates import State
from cmdb_server.projection.columns import Bools, Longs, spans
from cmdb_server.projection.ordered import distinct, shared, united
from cmdb_server.projection.projection import Projection

States = npt.NDArray[np.uint8]


class Cause(NamedTuple):
    """CIs that are down, and that are degraded, by themselves."""

    down: frozenset[int]
    limping: frozenset[int]


Causes = frozenset[Cause]


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """``slot``: gates that count an affected member, each once, with what they ``lost`` and what is at least degraded
    (``soft``). ``cuts``: whether it may cut a way."""

    ci: Longs
    state: States
    slot: Longs
    lost: Longs
    soft: Longs
    cuts: bool


@dataclass(slots=True, eq=False)
class Apart:
    """Who is affected on one graph while causes come and go; work follows what a step changes. ``told``: the state of
    each CI after the last step, also on the graph before this one. ``computed``: how many answers the engine gave."""

    graph: Projection
    excluded: list[int]
    told: States
    computed: int = 0
    _known: dict[Causes, _Answer] = field(default_factory=dict)
    _laid: dict[Causes, _Answer] = field(default_factory=dict)
    _lost: Longs = field(init=False)
    _soft: Longs = field(init=False)
    _touched: Longs = field(init=False)
    _by: tuple[Longs, Longs] = field(init=False)
    _spared: Bools = field(init=False)
    _looked: list[Longs] = field(init=False)

    def __post_init__(self) -> None:
        self._lost, self._soft, self._touched = (np.zeros(len(self.graph.slots), np.int64) for _ in range(3))
        self._by = np.zeros(len(self.graph), np.int64), np.zeros(len(self.graph), np.int64)
        self._spared = np.zeros(len(self.graph), bool)
        self._spared[self.excluded] = True
        self._looked = [np.flatnonzero(self.told)]

    def go(self, causes: Causes) -> tuple[Longs, States, States]:
        """From whatever failed before to ``causes``: (CIs whose state is another, the one before, the one now)."""
        pending = [self._off(group) for group in list(self._laid) if not group <= causes]
        pending += [self._on(frozenset((one,))) for one in causes.difference(*self._laid)]
        while pending:
            pending = [self._on(group) for group in self._joined(self._hot(pending))]
        ci = united(*self._looked)
        self._looked = [NOTHING]
        now, before = self._state(ci), self.told[ci]
        other = now != before
        self.told[ci] = now
        return ci[other], before[other], now[other]

    def whole(self, causes: Iterable[Cause]) -> Impact:
        """One answer to all, with its certificate."""
        told = list(causes)
        down = frozenset(ci for one in told for ci in one.down)
        return impact(self.graph, down, self.excluded, frozenset(ci for one in told for ci in one.limping) - down)

    def _answer(self, causes: Causes) -> _Answer:
        known = self._known.get(causes)
        if known is None:
            known = self._known[causes] = _answered(self.whole(causes))
            self.computed += 1
        return known

    def _on(self, group: Causes) -> Longs:
        """Lay an answer over the others; the slots that may be hot for it."""
        one = self._laid[group] = self._answer(group)
        self._add(one, 1)
        return one.slot

    def _off(self, group: Causes) -> Longs:
        """Take an answer away; the slots that may be hot for it: those of consumers that it no longer takes down."""
        one = self._laid.pop(group)
        self._add(one, -1)
        gates, lists = self.graph.gates, self.graph.gates_of
        slot = gates.slot[self.graph.listed.gate[spans(lists.first, lists.last, one.ci)]].astype(np.int64)
        return slot[slot >= 0]

    def _add(self, one: _Answer, sign: int) -> None:
        self._lost[one.slot] += sign * one.lost
        self._soft[one.slot] += sign * one.soft
        self._touched[one.slot] += sign
        for state, column in zip((State.DOWN, State.DEGRADED), self._by, strict=True):
            column[one.ci[one.state == state]] += sign
        self._looked.append(one.ci)

    def _state(self, ci: Longs) -> States:
        down, limping = (column[ci] > 0 for column in self._by)
        return np.where(down, np.uint8(State.DOWN), np.where(limping, np.uint8(State.DEGRADED), np.uint8(State.UP)))

    def _hot(self, pending: Sequence[Longs]) -> Longs:
        """Those of the slots that several answers may take further together than any says of the consumer."""
        slots = np.concatenate(pending)
        slots = distinct(slots[self._touched[slots] > 1])
        limits, consumer = self.graph.slots, self.graph.slots.consumer[slots].astype(np.int64)
        lost, soft = self._lost[slots], self._soft[slots]
        limping = (lost > limits.want_slack[slots]) | (soft > limits.full_slack[slots])
        worst = np.where(lost > limits.slack[slots], State.DOWN, np.where(limping, State.DEGRADED, State.UP))
        hot: Longs = slots[(worst > self._state(consumer)) & ~self._spared[consumer]]
        return hot

    def _joined(self, hot: Longs) -> list[Causes]:
        """The groups to be answered together instead of those that meet at hot slots, taken away already."""
        cuts = len(self._laid) > 1 and any(one.cuts for one in self._laid.values())
        if not cuts and not len(hot):
            return []
        sets: list[tuple[set[int], set[Causes]]] = []
        for group, answer in self._laid.items():
            slots, groups = {-1} if cuts else set(shared(answer.slot, hot).tolist()), {group}
            apart = []
            for other in sets:
                if slots & other[0]:
                    slots, groups = slots | other[0], groups | other[1]
                else:
                    apart.append(other)
            sets = [*apart, (slots, groups)]
        met = [groups for _, groups in sets if len(groups) > 1]
        for groups in met:
            for group in groups:
                self._off(group)
        return [frozenset(one for group in groups for one in group) for groups in met]


def _answered(answer: Impact) -> _Answer:
    graph = answer.projection
    lists, network = graph.counted_of, graph.network()
    at = spans(lists.first, lists.last, answer.ci)
    state = np.repeat(answer.state, lists.last[answer.ci] - lists.first[answer.ci])
    weight = graph.counted.weight[at].astype(np.int64)
    slot, which = np.unique(graph.counted.slot[at].astype(np.int64), return_inverse=True)
    lost, soft = (
        np.bincount(which, counts, len(slot)).astype(np.int64) for counts in (weight * (state == State.DOWN), weight)
    )
    cuts = network is not None and bool(network.matters.take(answer.down).any())
    return _Answer(answer.ci, answer.state, slot, lost, soft, cuts)
