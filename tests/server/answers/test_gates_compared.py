"""Gates that differ, found on columns, are those that a look at each finds."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.explanation import Explanation
from cmdb_server.analysis.impact import Impact, impact
from cmdb_server.answers.gates_compared import Both, differing, gate_like
from cmdb_server.projection.build import from_rows
from cmdb_server.projection.projection import Projection
from tests import worlds
from tests.worlds import World, name_id

Told = dict[tuple[str, str, bool, str], tuple[object, ...]]


def by_hand(answer: Impact) -> Told:
    graph, explanation = answer.projection, Explanation(answer)
    touched = {int(gate) for gate in answer.gates() if gate >= 0} | {
        int(gate) for gate in graph.slots.gate[answer.held]
    }
    return {key(graph, gate): (
        graph.definition(gate), explanation.count(gate).limits.total, explanation.count(gate).lost,
        explanation.count(gate).limping,
    ) for gate in touched}  # fmt: skip


def key(graph: Projection, gate: int) -> tuple[str, str, bool, str]:
    consumer = graph.id(int(graph.gates.consumer[gate]))
    return consumer, graph.relation_type(gate), int(graph.gates.key[gate]) >= 0, graph.key_name(gate)


@settings(max_examples=60, deadline=None)
@given(worlds.worlds(14), worlds.worlds(14), st.integers(0, 2**32))
def test_they_are_what_a_look_at_each_finds(world: World, other: World, seed: int) -> None:
    graphs = [from_rows(*one.rows(), worlds.rules(), 7, worlds.NOW) for one in (world, other)]
    size = min(world.size, other.size)
    failed = random.Random(seed).sample(range(size), min(size, 3))
    answers = [impact(graph, [graph.ci(name_id(str(ci))) for ci in failed]) for graph in graphs]
    extra = max(0, world.size - other.size)
    there = graphs[1].index.matching(graphs[0].index.identities.high, graphs[0].index.identities.low)
    there[there < 0] = other.size + np.arange(extra)
    found = differing(Both(answers[0], answers[1], there), np.zeros(other.size + extra, bool))
    before, after = map(by_hand, answers)
    assert len(found) == len(set(found))
    assert {key(graphs[side], gate) for side, gate in found} == {
        one for one in before.keys() | after.keys() if before.get(one) != after.get(one)
    }
    for side, gate in found:
        like = gate_like(graphs[side], gate, graphs[side], int(graphs[side].gates.consumer[gate]))
        assert like == gate
        assert gate_like(graphs[side], gate, graphs[side], -1) is None
