"""Which gates stand otherwise in one answer than in another, found on columns."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.impact import Impact
from cmdb_server.model.gates import State
from cmdb_server.projection.columns import Bools, Interned, Ints, Longs, spans
from cmdb_server.projection.projection import Projection


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """Two answers, and by CI of the first one's graph its number among all CIs of both."""

    before: Impact
    after: Impact
    there: Longs


def differing(both: Both, changed: Bools) -> list[tuple[int, int]]:
    """(0 before or 1 after, gate) of each gate that an answer touches and that has another definition, other members
    lost or limping, or another total on the other side; by ``there``'s numbers, first those of CIs that ``changed``,
    then those that can bear least."""
    names: Interned[Hashable] = Interned()
    tables = [_table(both.before, both.there, names), _table(both.after, None, names)]
    size = max((int(table[0].max(initial=0)) for table in tables), default=0) + 1
    ones, others = ((table[0] * 64 + table[1]) * (len(names) + 1) + table[2] for table in tables)
    assert size * 64 * (len(names) + 1) < 1 << 63
    _, first, second = np.intersect1d(ones, others, assume_unique=True, return_indices=True)
    same = np.all(np.stack([tables[0][place][first] == tables[1][place][second] for place in range(3, 7)]), axis=0)
    left = np.ones(len(ones), bool)
    left[first] = False
    right = np.ones(len(others), bool)
    right[second[same]] = False
    sides = np.repeat((0, 1), (left.sum(), right.sum()))
    gate, consumer, margin = (
        np.concatenate((tables[0][place][left], tables[1][place][right])) for place in (7, 0, 8)
    )  # fmt: skip
    order = np.lexsort((gate, margin, ~changed[consumer]))
    return list(zip(sides[order].tolist(), gate[order].tolist(), strict=True))


def _table(answer: Impact, there: Longs | None, names: Interned[Hashable]) -> tuple[Longs, ...]:
    """Consumer, type, key, definition, total, lost, limping, gate, margin of each gate that the answer touches."""
    graph = answer.projection
    caused = answer.gates()
    gate = np.unique(np.concatenate((caused[caused >= 0], graph.slots.gate[answer.held]))).astype(np.int64)
    size = (graph.gates.last[gate] - graph.gates.first[gate]).astype(np.int64)
    at, place = spans(graph.gates.first, graph.gates.last, gate), np.repeat(np.arange(len(gate)), size)
    weighs = graph.weighs()[graph.gates.rule[gate]]
    weight = np.where(weighs[place], graph.members.weight[at], 1)
    state = np.zeros(len(graph), np.uint8)
    state[answer.ci] = answer.state
    member = state[graph.members.provider[at]]
    total, lost, limping = (
        np.bincount(place, weight * counts, len(gate)).astype(np.int64)
        for counts in (np.ones(len(at), bool), member == State.DOWN, member == State.DEGRADED)
    )
    consumer = graph.gates.consumer[gate].astype(np.int64)
    slot = graph.gates.slot[gate]
    slack = graph.slots.slack.take(slot, mode="clip") if len(graph.slots) else np.zeros(len(gate), np.int64)
    margin = np.where(slot >= 0, slack, 0) - lost
    return (
        consumer if there is None else there[consumer], graph.gates.type[gate].astype(np.int64),
        _named(graph.gates.key[gate], lambda key: (key >= 0, graph.rules.key_name(key)), names),
        _named(graph.gates.rule[gate], graph.rules.gates.__getitem__, names),
        total, lost, limping, gate, margin,
    )  # fmt: skip


def _named(codes: Ints, meaning: Callable[[int], Hashable], names: Interned[Hashable]) -> Longs:
    """Numbers that mean the same in both tables."""
    values, which = np.unique(codes, return_inverse=True)
    return np.asarray([names.code(meaning(value)) for value in values.tolist()], np.int64)[which]


def gate_like(graph: Projection, gate: int, other: Projection, consumer: int) -> int | None:
    """The gate of ``other``'s CI ``consumer`` (-1: nobody) over what ``gate`` of ``graph`` is over."""
    if consumer < 0:
        return None
    for one in other.gates_by(consumer).tolist():
        if _over(other, one) == _over(graph, gate):
            return int(one)
    return None


def _over(graph: Projection, gate: int) -> tuple[str, bool, str]:
    return graph.relation_type(gate), int(graph.gates.key[gate]) >= 0, graph.key_name(gate)
