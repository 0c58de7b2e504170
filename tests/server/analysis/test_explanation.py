"""Every path shown is a chain of reasons, and every count is that of the states."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.explanation import Explanation
from cmdb_server.analysis.impact import impact
from cmdb_server.model.gates import State
from tests.worlds import World, worlds


@settings(max_examples=200, deadline=None)
@given(worlds(), st.data())
def test_a_path_leads_from_what_failed_by_gates_that_give_way(world: World, data: st.DataObject) -> None:
    projection = world.projection()
    failed = data.draw(st.sets(st.integers(0, world.size - 1), min_size=1, max_size=3))
    answer = impact(projection, failed)
    told, rank = Explanation(answer), dict(zip(answer.ci.tolist(), answer.rank.tolist(), strict=True))
    for ci in answer.ci.tolist():
        steps = told.path(ci)
        assert steps[0].gate is None
        assert steps[0].ci in failed
        assert steps[-1].ci == ci
        for before, step in pairwise(steps):
            assert step.gate is not None
            assert before.ci in projection.members_of(step.gate)
            assert projection.gates.consumer[step.gate] == step.ci
            assert rank[before.ci] < rank[step.ci]
            count = told.count(step.gate)
            state = count.limits.state(count.serving, count.serving - count.limping)
            assert state >= told.state(step.ci)
            assert (count.margin < 0) == (state is State.DOWN)


def test_who_is_not_affected_is_up_and_has_no_gate() -> None:
    told = Explanation(impact(World(2, ((0, "depends_on", 1, None, None),), {}).projection(), []))
    assert (told.state(0), told.gate(0)) == (State.UP, None)
