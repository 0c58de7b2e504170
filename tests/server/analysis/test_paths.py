"""Ways against networkx."""

from itertools import pairwise

import networkx as nx
from hypothesis import given, settings

from cmdb_server.analysis.paths import path
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
