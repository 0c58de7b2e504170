"""Ways against networkx."""

from itertools import pairwise

import networkx as nx
import numpy as np
from hypothesis import given, settings

from cmdb_server.analysis.paths import path, way_up
from cmdb_server.analysis.requires import above
from tests.worlds import World, digraph, name_id, worlds


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
@given(worlds(12))
def test_the_way_up_is_a_way_of_so_many_hops(world: World) -> None:
    projection = world.projection()
    for source in range(world.size):
        found, hops = above(projection, np.asarray([source]))
        distance = np.full(len(projection), -1, np.int32)
        distance[found] = hops
        for target in found.tolist():
            steps = way_up(projection, distance, target)
            assert len(steps) == distance[target] + 1
            assert (steps[0].ci, steps[0].gate, steps[-1].ci) == (source, None, target)
            for before, step in pairwise(steps):
                assert step.gate is not None
                assert before.ci in projection.members_of(step.gate)
                assert projection.gates.consumer[step.gate] == step.ci
