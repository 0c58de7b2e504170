"""What is degraded, and when, whether losses are noted one by one or as a whole, with members cut off among them."""

import random

import pytest

from cmdb_server.analysis import fixpoint
from cmdb_server.analysis.impact import impact
from tests.wired import wired_world
from tests.worlds import World, dense_world, evaluate


@pytest.mark.parametrize("whole", [0, 10**9])
@pytest.mark.parametrize("make", [dense_world, wired_world])
def test_noted_as_a_whole_and_one_by_one_are_the_same(
    whole: int, make: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fixpoint, "WHOLE", whole)
    seen = 0
    for seed in range(150):
        dice = random.Random(seed)
        size = dice.randrange(4, 24)
        world: World = make(seed, size)  # type: ignore[operator]
        failed = set(dice.sample(range(size), dice.randrange(1, 4)))
        limping = set(dice.sample(range(size), dice.randrange(2)))
        projection = world.projection()
        answer, truth = impact(projection, failed, (), limping), evaluate(world, failed, set(), limping)
        assert dict(zip(answer.ci.tolist(), answer.state.tolist(), strict=True)) == truth.state
        assert dict(zip(answer.ci.tolist(), answer.rank.tolist(), strict=True)) == truth.rank
        seen += len(answer.degraded) > 0
        with projection.pool.lent(projection) as scratch:
            for column in (scratch.slack, scratch.then, scratch.last):
                assert (column[: len(projection.slots)] == projection.slots.slack).all()
    assert seen > 10
