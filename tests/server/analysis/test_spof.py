"""Single points of failure and fatal pairs against removing every CI and every pair."""

from itertools import combinations

import numpy as np
from hypothesis import given, settings

from cmdb_server.analysis.spof import fatal_pairs, single_points
from tests.worlds import World, evaluate, name_id, worlds


def named(world: World, cis: np.ndarray) -> set[int]:  # type: ignore[type-arg]
    projection = world.projection()
    return {int(projection.names[ci]) for ci in cis.tolist()}


@settings(max_examples=60, deadline=None)
@given(worlds(25))
def test_single_points_are_those_whose_removal_is_fatal(world: World) -> None:
    projection = world.projection()
    for service in range(min(world.size, 2)):
        found = named(world, single_points(projection, projection.ci(name_id(str(service)))))
        assert found == {ci for ci in range(world.size) if ci != service and service in evaluate(world, {ci}).down()}


@settings(max_examples=40, deadline=None)
@given(worlds(14))
def test_fatal_pairs_are_those_whose_removal_is_fatal_together_only(world: World) -> None:
    projection = world.projection()
    service = 0
    fatal = {ci for ci in range(world.size) if service in evaluate(world, {ci}).down()}
    true = {
        pair
        for pair in combinations(sorted(set(range(world.size)) - fatal), 2)
        if service in evaluate(world, set(pair)).down()
    }
    told = fatal_pairs(projection, projection.ci(name_id(str(service))))
    assert told.complete
    groups = [named(world, members) for members in told.classes]
    found = {tuple(sorted((a, b))) for one, other in told.pairs for a in groups[one] for b in groups[other]}
    assert found == true


def test_a_pool_of_two_on_one_host_has_that_host_as_its_single_point() -> None:
    pool = ((0, "depends_on", 1, "pool", None), (0, "depends_on", 2, "pool", None))
    hosts = ((1, "depends_on", 3, None, None), (2, "depends_on", 3, None, None))
    world = World(4, (*pool, *hosts), {0: {"depends_on/pool": {"kind": "at_least", "k": 1}}})
    projection = world.projection()
    assert named(world, single_points(projection, projection.ci(name_id("0")))) == {3}
    told = fatal_pairs(projection, projection.ci(name_id("0")))
    assert [sorted(named(world, members)) for members in told.classes] in ([[1], [2]], [[2], [1]])
    assert told.pairs == ((0, 1),)
