"""What a CI stands on, against networkx, and what cannot start from cold, against the definition."""

import networkx as nx
import numpy as np
from hypothesis import given, settings

from cmdb_server.analysis.requires import requires
from tests.worlds import World, digraph, evaluate, name_id, worlds


@settings(max_examples=100, deadline=None)
@given(worlds(20))
def test_what_a_ci_stands_on_is_all_that_lies_below(world: World) -> None:
    projection, graph = world.projection(), digraph(world)
    ci = 0
    found = requires(projection, np.asarray([projection.ci(name_id(str(ci)))]))
    lengths = nx.single_source_shortest_path_length(graph.reverse(), ci)
    told = {projection.names[one]: hops for one, hops in zip(found.ci.tolist(), found.hops.tolist(), strict=True)}
    assert told == {str(one): hops for one, hops in lengths.items()}


@settings(max_examples=100, deadline=None)
@given(worlds(20))
def test_what_is_stuck_cannot_start_while_it_is_all_off(world: World) -> None:
    projection = world.projection()
    every = requires(projection, np.arange(world.size))
    stuck = {int(projection.names[ci]) for ci in every.stuck.tolist()}
    # Off together they stay off: each of them needs another of them.
    alone = evaluate(world, stuck).down()
    for ci in stuck:
        assert ci in evaluate(world, alone - {ci}).down()
    if not nx.is_directed_acyclic_graph(digraph(world)):
        return
    assert stuck == set()


def test_two_that_need_each_other_are_stuck_and_a_pool_member_is_not() -> None:
    ring = World(3, ((0, "depends_on", 1, None, None), (1, "depends_on", 0, None, None)), {}).projection()
    assert len(requires(ring, np.arange(3)).stuck) == 2
    world = World(
        3,
        ((0, "depends_on", 1, "pool", None), (0, "depends_on", 2, "pool", None), (1, "depends_on", 0, None, None)),
        {0: {"depends_on": {"kind": "at_least", "k": 1}}},
    )
    assert len(requires(world.projection(), np.arange(3)).stuck) == 0
