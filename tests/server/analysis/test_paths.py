"""Ways against networkx."""

from itertools import pairwise

import networkx as nx
import numpy as np
from hypothesis import given, settings

from cmdb_server.analysis.paths import path
from cmdb_server.analysis.requires import requires
from tests.worlds import World, evaluate, name_id, worlds


def digraph(world: World) -> "nx.DiGraph[int]":
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(world.size))
    graph.add_edges_from((provider, key[0]) for key, members in world.gate_members().items() for provider in members)
    return graph


@settings(max_examples=100, deadline=None)
@given(worlds(12))
def test_a_way_is_a_shortest_one(world: World) -> None:
    projection, graph = world.projection(), digraph(world)
    number = {ci: projection.ci(name_id(str(ci))) for ci in range(world.size)}
    for source in range(world.size):
        lengths = nx.single_source_shortest_path_length(graph, source)
        for target in range(world.size):
            steps = path(projection, number[source], number[target])
            assert len(steps) == (lengths[target] + 1 if target in lengths else 0)
            for before, step in pairwise(steps):
                assert step.gate is not None
                assert before.ci in projection.members_of(step.gate)
                assert projection.gates.consumer[step.gate] == step.ci


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
