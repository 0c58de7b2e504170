"""Links and gateways as the relations have them, made at once or brought forward."""

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.impact import impact
from cmdb_server.projection.network import joined_parts
from cmdb_server.projection.overlay import Changes, with_cis, with_relations
from tests.wired import wired_worlds
from tests.wires import LINK, ROUTES
from tests.worlds import NOW, World, evaluate


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 30), st.data())
def test_parts_are_networkx_s(size: int, data: st.DataObject) -> None:
    ends = st.integers(0, size - 1)
    edges = data.draw(st.lists(st.tuples(ends, ends), max_size=2 * size))
    a, b = (np.asarray([edge[end] for edge in edges], np.int64) for end in (0, 1))
    graph: nx.Graph[int] = nx.Graph(edges)
    graph.add_nodes_from(range(size))
    found = joined_parts(size, a, b).tolist()
    for part in nx.connected_components(graph):
        assert {found[ci] for ci in part} == {min(part)}


def test_a_host_passes_nothing_on_and_who_has_no_known_way_is_marked() -> None:
    relations = ((0, LINK, 1, None, None), (1, LINK, 2, None, None), (0, ROUTES, 2, None, None))
    projection = World(3, relations, {}, classes=("server", "server", "switch")).projection()
    network = projection.network()
    assert network is not None
    assert network.unknown.tolist() == [0, 1, 2]
    assert impact(projection, [1]).down.tolist() == [1]


def test_without_links_there_is_no_network() -> None:
    assert World(2, ((0, ROUTES, 1, None, None),), {}).projection().network() is None


@settings(max_examples=60, deadline=None)
@given(wired_worlds(12), wired_worlds(12))
def test_a_network_brought_forward_is_the_one_built_anew(old: World, new: World) -> None:
    """The relations of one world are replaced by those of another, over the CIs of the first."""
    fits = tuple(row for row in new.relations if max(row[0], row[2]) < old.size)
    later = World(old.size, fits, old.gates, old.retired, old.classes)
    before = old.projection()
    before.network()
    rows = {row[:3]: row for row in later.rows()[1]}
    changes = Changes(2, {}, {**{row[:3]: None for row in old.rows()[1]}, **rows})
    moved, anew = with_cis(before, changes, NOW)
    moved = with_relations(moved, before, changes, anew)
    for ci in range(old.size):
        assert set(impact(moved, [ci]).down.tolist()) == evaluate(later, {ci}).down()
