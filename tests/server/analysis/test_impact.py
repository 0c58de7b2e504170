"""The engine against a slow exact evaluation on random worlds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.impact import Impact, impact
from cmdb_server.errors import Invalid
from tests.worlds import World, evaluate, worlds


@st.composite
def questions(draw: st.DrawFn) -> tuple[World, set[int], set[int], set[int]]:
    world = draw(worlds())
    cis = st.integers(0, world.size - 1)
    failed = draw(st.sets(cis, min_size=1, max_size=4))
    limp = draw(st.sets(cis, max_size=2))
    spared = draw(st.sets(cis, max_size=3)) - failed - limp
    return world, failed, spared, limp


def states(answer: Impact) -> dict[int, int]:
    return dict(zip(answer.ci.tolist(), answer.state.tolist(), strict=True))


@settings(max_examples=500, deadline=None)
@given(questions())
def test_equals_the_exact_evaluation(question: tuple[World, set[int], set[int], set[int]]) -> None:
    world, failed, spared, limp = question
    truth = evaluate(world, failed, spared, limp)
    answer = impact(world.projection(), failed, spared, limp)
    assert states(answer) == truth.state
    assert dict(zip(answer.ci.tolist(), answer.rank.tolist(), strict=True)) == truth.rank
    assert len(set(answer.ci.tolist())) == len(answer.ci)


@settings(max_examples=100, deadline=None)
@given(worlds(), st.data())
def test_a_used_scratch_gives_the_same_answer(world: World, data: st.DataObject) -> None:
    projection = world.projection()
    sets = st.sets(st.integers(0, world.size - 1), min_size=1, max_size=4)
    for failed in data.draw(st.lists(sets, min_size=2, max_size=5)):
        spared = data.draw(sets) - failed
        assert states(impact(projection, failed, spared)) == evaluate(world, failed, spared).state


@settings(max_examples=200, deadline=None)
@given(worlds(), st.data())
def test_more_failures_never_help_and_joint_is_more_than_the_union(world: World, data: st.DataObject) -> None:
    sets = st.sets(st.integers(0, world.size - 1), max_size=3)
    first, second = data.draw(sets), data.draw(sets)
    projection = world.projection()
    one, other, joint = (states(impact(projection, failed)) for failed in (first, second, first | second))
    for ci in range(world.size):
        assert joint.get(ci, 0) >= max(one.get(ci, 0), other.get(ci, 0))


def test_one_ci_cannot_be_failed_and_spared() -> None:
    projection = World(2, (), {}).projection()
    with pytest.raises(Invalid) as refusal:
        impact(projection, [0], [0, 1])
    assert refusal.value.status == 422
    assert projection.id(0) in refusal.value.detail


def test_nothing_fails_nothing_is_hit() -> None:
    answer = impact(World(3, ((0, "depends_on", 1, None, None),), {}).projection(), [])
    assert len(answer.ci) == len(answer.held) == 0


def test_a_cycle_does_not_prove_itself() -> None:
    ring = tuple((ci, "depends_on", (ci + 1) % 3, None, None) for ci in range(3))
    projection = World(4, (*ring, (0, "depends_on", 3, None, None)), {}).projection()
    assert len(impact(projection, [3]).down) == 4
    assert impact(projection, [3], [0]).down.tolist() == [3]


def test_redundancy_lost_is_told_and_does_not_spread() -> None:
    pool = tuple((ci, "member_of", 3, None, None) for ci in range(3))
    projection = World(5, (*pool, (4, "depends_on", 3, None, None)), {3: {"kind": "at_least", "k": 2}}).projection()
    answer = impact(projection, [0])
    # CI 0, 1, 2 differ in class: three gates over one member each.
    assert 3 in answer.down
    pool = tuple((ci, "member_of", 3, "pool", None) for ci in range(3))
    projection = World(5, (*pool, (4, "depends_on", 3, None, None)), {3: {"kind": "at_least", "k": 2}}).projection()
    answer = impact(projection, [0])
    assert answer.ci.tolist() == [0]
    assert (len(answer.held), answer.lost.tolist()) == (1, [1])
    assert set(impact(projection, [0, 1]).down.tolist()) == {0, 1, 3, 4}


def test_columns_are_read_only() -> None:
    projection = World(2, ((0, "depends_on", 1, None, None),), {}).projection()
    with pytest.raises(ValueError, match="read-only"):
        projection.gates.consumer[0] = 1
    assert not np.shares_memory(impact(projection, [1]).ci, projection.direct.consumer)
