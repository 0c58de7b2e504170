"""Scratches are reused, fit, and are not given back broken."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cmdb_server.analysis.impact import impact
from tests.worlds import World, dense_world, evaluate, name_id


def test_one_scratch_serves_questions_in_turn() -> None:
    projection = World(3, (), {}).projection()
    with projection.pool.lent(projection) as first:
        pass
    with projection.pool.lent(projection) as second:
        assert second is first
        with projection.pool.lent(projection) as third:
            assert third is not first


def test_a_broken_one_is_dropped() -> None:
    projection = World(3, (), {}).projection()
    with pytest.raises(ZeroDivisionError), projection.pool.lent(projection) as broken:
        broken.open[0] = False
        raise ZeroDivisionError
    with projection.pool.lent(projection) as other:
        assert other is not broken
        assert other.open.all()


def test_threads_ask_at_once() -> None:
    world = dense_world(7, 40)
    projection = world.projection()
    number = {ci: projection.ci(name_id(str(ci))) for ci in range(world.size)}
    truth = {ci: {number[one] for one in evaluate(world, {ci}).down()} for ci in number}

    def ask(ci: int) -> bool:
        return set(impact(projection, np.asarray([number[ci]])).down.tolist()) == truth[ci]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, [ci for ci in number for _ in range(20)]))
