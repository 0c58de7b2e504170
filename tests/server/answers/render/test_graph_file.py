"""Written GraphML, read by networkx."""

from __future__ import annotations

import io

import networkx as nx
from hypothesis import given, settings

from cmdb_server.answers.render.drawing import Drawing
from cmdb_server.answers.render.drawings import impact_drawing
from cmdb_server.answers.render.graph_file import graph_file
from tests.drawn import DRAWINGS
from tests.shop import Shop


def test_ids_names_states_and_gates_are_read_back(shop: Shop) -> None:
    graph = nx.read_graphml(io.BytesIO(graph_file(impact_drawing(shop.impact("db-host", "web1"))).encode()))
    assert graph.nodes[shop.ids["db"]] == {"name": "db", "class": "database_instance", "state": "down"}
    assert graph.nodes[shop.ids["lb"]]["remark"] == "redundancy lost: 1 of 2 serving, needs 1"
    edge = graph.edges[shop.ids["db-host"], shop.ids["db"]]
    assert edge == {"gate": "runs_on server: 0 of 1 serving, needs 1", "holds": False}
    assert graph.edges[shop.ids["web2"], shop.ids["lb"]]["holds"] is True


@settings(max_examples=50)
@given(DRAWINGS)
def test_hostile_texts_are_read_whatever_they_are(drawing: Drawing) -> None:
    graph = nx.read_graphml(io.BytesIO(graph_file(drawing).encode()))
    assert list(graph.nodes) == list(drawing.every())
    assert graph.number_of_edges() == len(drawing.arrows)
