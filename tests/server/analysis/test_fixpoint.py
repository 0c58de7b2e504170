"""The parts of the fixpoint that a question does not show: what it leaves behind, and rounds taken by the mass."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis import fixpoint
from cmdb_server.analysis.impact import impact
from tests.worlds import World, evaluate, worlds


@pytest.mark.parametrize("mass", [0, 10**9])
def test_by_the_mass_and_one_by_one_are_the_same(mass: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixpoint, "MASS", mass)
    monkeypatch.setattr(fixpoint, "DENSE", mass)

    @settings(max_examples=100, deadline=None)
    @given(worlds(), st.data())
    def same(world: World, data: st.DataObject) -> None:
        sets = st.sets(st.integers(0, world.size - 1), max_size=3)
        projection, failed, limping = world.projection(), data.draw(sets), data.draw(sets)
        spared = data.draw(sets) - failed - limping
        answer, truth = impact(projection, failed, spared, limping), evaluate(world, failed, spared, limping)
        assert dict(zip(answer.ci.tolist(), answer.state.tolist(), strict=True)) == truth.state
        assert dict(zip(answer.ci.tolist(), answer.rank.tolist(), strict=True)) == truth.rank
        with projection.pool.lent(projection) as scratch:
            assert scratch.open.all()
            assert (scratch.slack[: len(projection.slots)] == projection.slots.slack).all()

    same()
