"""Single points of failure and fatal pairs against removing every CI and every pair."""

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.spof import fatal_pairs, single_points
from tests.wired import wired_worlds
from tests.wires import LINK, ROUTES, RUNS
from tests.worlds import World, evaluate, name_id, worlds


def named(world: World, cis: np.ndarray) -> set[int]:  # type: ignore[type-arg]
    projection = world.projection()
    return {int(projection.names[ci]) for ci in cis.tolist()}


@settings(max_examples=100, deadline=None)
@given(st.one_of(worlds(25), wired_worlds(20)))
def test_single_points_are_those_whose_removal_is_fatal(world: World) -> None:
    projection = world.projection()
    for service in {0, world.size - 1}:
        found = named(world, single_points(projection, projection.ci(name_id(str(service)))))
        assert found == {ci for ci in range(world.size) if ci != service and service in evaluate(world, {ci}).down()}


@settings(max_examples=60, deadline=None)
@given(st.one_of(worlds(14), wired_worlds(12)))
def test_fatal_pairs_are_those_whose_removal_is_fatal_together_only(world: World) -> None:
    projection = world.projection()
    service = world.size - 1
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


def test_both_uplinks_of_a_host_are_a_fatal_pair_and_one_alone_is_a_single_point() -> None:
    service, app, host, left, right, core, router = range(7)
    classes = ("service", "app", "server", "switch", "switch", "switch", "switch")
    uplinks = ((host, LINK, left), (host, LINK, right), (left, LINK, core), (right, LINK, core), (core, LINK, router))
    relations = ((service, "depends_on", app), (app, RUNS, host), (host, ROUTES, router), *uplinks)
    world = World(7, tuple((a, type_, b, None, None) for a, type_, b in relations), {}, classes=classes)
    projection = world.projection()
    number = [projection.ci(name_id(str(ci))) for ci in range(7)]
    assert named(world, single_points(projection, number[service])) == {app, host, core, router}
    told = fatal_pairs(projection, number[service])
    assert [[sorted(named(world, told.classes[row])) for row in pair] for pair in told.pairs] in (
        [[[left], [right]]], [[[right], [left]]],
    )  # fmt: skip
    without = World(7, tuple(row for row in world.relations if row[2] != right), {}, classes=classes)
    assert left in named(without, single_points(without.projection(), number[service]))


def test_a_way_that_falls_apart_between_two_services_is_found() -> None:
    """Each end keeps its gateway; what lies between them is a single point of the one that depends on the other."""
    app, base, one, other, left, right, middle = range(7)
    classes = ("app", "app", "server", "server", "switch", "switch", "switch")
    relations = (
        (app, "depends_on", base), (app, RUNS, one), (base, RUNS, other), (one, LINK, left), (other, LINK, right),
        (left, LINK, middle), (right, LINK, middle), (one, ROUTES, left), (other, ROUTES, right),
    )  # fmt: skip
    world = World(7, tuple((a, type_, b, None, None) for a, type_, b in relations), {}, classes=classes)
    found = single_points(world.projection(), world.projection().ci(name_id(str(app))))
    assert named(world, found) == {base, one, other, left, right, middle}
