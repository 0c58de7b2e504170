"""Loops and levels against networkx."""

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.region import components, region
from tests.worlds import World, worlds


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 12), st.data())
def test_components_are_networkx_s_with_providers_first(size: int, data: st.DataObject) -> None:
    edges = data.draw(st.sets(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=3 * size))
    providers: list[list[int]] = [[] for _ in range(size)]
    for consumer, provider in edges:
        providers[consumer].append(provider)
    found = components(providers)
    graph: nx.DiGraph[int] = nx.DiGraph(sorted(edges))
    graph.add_nodes_from(range(size))
    assert sorted(map(sorted, found)) == sorted(map(sorted, nx.strongly_connected_components(graph)))
    place = {ci: number for number, loop in enumerate(found) for ci in loop}
    assert all(place[provider] <= place[consumer] for consumer, provider in edges)


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_a_level_needs_only_lower_ones_unless_it_loops(world: World) -> None:
    projection = world.projection()
    below = region(projection, np.arange(world.size))
    done: set[int] = set()
    consumers = {int(ci) for level in below.levels for ci in level.consumer}
    for level in below.levels:
        mine = set(level.consumer.tolist())
        needed = set(level.provider.tolist()) & consumers
        assert needed - mine <= done
        assert level.looped or not needed & mine
        done |= mine
