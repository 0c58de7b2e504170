"""The checker accepts every answer of the engine and rejects each of them once it is changed."""

from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.certificate import OWN, Certificate
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.projection.projection import Projection
from tests.worlds import World, worlds


@st.composite
def answers(draw: st.DrawFn) -> tuple[Projection, Certificate]:
    world = draw(worlds())
    cis = st.integers(0, world.size - 1)
    failed = draw(st.sets(cis, min_size=1, max_size=4))
    limp = draw(st.sets(cis, max_size=2))
    spared = draw(st.sets(cis, max_size=3)) - failed - limp
    projection = world.projection()
    return projection, impact(projection, failed, spared, limp).certificate()


@settings(max_examples=400, deadline=None)
@given(answers())
def test_accepts_every_answer(answer: tuple[Projection, Certificate]) -> None:
    assert check(*answer) == []


def without(claim: Certificate, row: int) -> Certificate:
    names = ("ci", "state", "rank", "gate")
    return replace(claim, **{name: np.delete(getattr(claim, name), row) for name in names})


@settings(max_examples=300, deadline=None)
@given(answers(), st.data())
def test_rejects_a_claim_left_out(answer: tuple[Projection, Certificate], data: st.DataObject) -> None:
    projection, claim = answer
    row = data.draw(st.integers(0, len(claim.ci) - 1))
    # Leaving out one that is affected leaves a gate, or the question, unanswered.
    assert check(projection, without(claim, row)) != []


@settings(max_examples=300, deadline=None)
@given(answers(), st.data())
def test_rejects_a_claim_too_many(answer: tuple[Projection, Certificate], data: st.DataObject) -> None:
    projection, claim = answer
    spared = sorted(set(range(len(projection))) - set(claim.ci.tolist()))
    assume(spared and len(projection.gates))
    ci = data.draw(st.sampled_from(spared))
    gate = data.draw(st.integers(0, len(projection.gates) - 1))
    state, rank = data.draw(st.sampled_from([1, 2])), data.draw(st.integers(1, 50))
    false = replace(
        claim, ci=np.append(claim.ci, ci), state=np.append(claim.state, state),
        rank=np.append(claim.rank, rank), gate=np.append(claim.gate, gate),
    )  # fmt: skip
    assert check(projection, false) != []


@settings(max_examples=300, deadline=None)
@given(answers(), st.data())
def test_rejects_another_state_or_gate_or_a_rank_not_above_its_members(
    answer: tuple[Projection, Certificate], data: st.DataObject
) -> None:
    projection, claim = answer
    derived = np.flatnonzero(claim.gate != OWN)
    assume(len(derived))
    row = data.draw(st.sampled_from(derived.tolist()))
    state, rank, gate = claim.state.copy(), claim.rank.copy(), claim.gate.copy()
    change = data.draw(st.sampled_from(["state", "rank", "gate", "own"]))
    if change == "state":
        state[row] = 3 - state[row]
    elif change == "rank":
        rank[row] = 0
    elif change == "own":
        gate[row] = OWN
    else:
        others = np.flatnonzero(projection.gates.consumer != claim.ci[row])
        assume(len(others))
        gate[row] = data.draw(st.sampled_from(others.tolist()))
    assert check(projection, replace(claim, state=state, rank=rank, gate=gate)) != []


@settings(max_examples=200, deadline=None)
@given(answers())
def test_rejects_other_arithmetic_of_the_gates_that_hold(answer: tuple[Projection, Certificate]) -> None:
    projection, claim = answer
    assume(len(claim.held))
    assert check(projection, replace(claim, lost=claim.lost + 1)) != []
    assert check(projection, replace(claim, held=claim.held[1:], lost=claim.lost[1:])) != []


def test_rejects_a_cycle_that_proves_itself() -> None:
    ring = World(3, tuple((ci, "depends_on", (ci + 1) % 3, None, None) for ci in range(3)), {}).projection()
    true = impact(ring, [0]).certificate()
    nothing = np.empty(0, np.int64)
    gate = np.asarray([ring.gates_by(ci)[0] for ci in true.ci.tolist()])
    for rank in (np.zeros(3, np.int64), np.ones(3, np.int64), np.arange(3)):
        assert check(ring, replace(true, failed=nothing, gate=gate, rank=rank)) != []


def test_rejects_an_answer_to_another_question() -> None:
    projection = World(3, ((0, "depends_on", 1, None, None),), {}).projection()
    claim = impact(projection, [1]).certificate()
    assert check(projection, replace(claim, failed=np.asarray([2]))) != []
    assert check(projection, replace(claim, excluded=np.asarray([0]))) != []
    assert check(projection, replace(claim, revision=9)) != []
    assert check(projection, replace(claim, rank=claim.rank[:1])) != []
    assert check(projection, replace(claim, ci=claim.ci + 9)) != []
