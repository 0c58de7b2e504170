"""Drawings as GraphML, for programs that lay graphs out and compute on them."""

from __future__ import annotations

from cmdb_server.answers import graphml
from cmdb_server.answers.graphml import Column
from cmdb_server.answers.render.drawing import Drawing, Node

_COLUMNS = (
    Column("node", "n0", "name"), Column("node", "n1", "class"), Column("node", "n2", "state"),
    Column("node", "n3", "remark"), Column("edge", "e0", "gate"), Column("edge", "e1", "holds", "boolean"),
)  # fmt: skip


def graph_file(drawing: Drawing) -> str:
    """The drawing as one file; nodes bear the CIs' ids, names are whole."""
    nodes = (graphml.node(id_, _told(node)) for id_, node in drawing.every().items())
    arrows = (graphml.edge(one.source, one.target, {"e0": one.label, "e1": one.holds}) for one in drawing.arrows)
    return "".join((graphml.head(_COLUMNS), *nodes, *arrows, graphml.TAIL))


def _told(node: Node) -> dict[str, str | None]:
    name, class_ = (None, None) if node.ci is None else (node.ci.name, node.ci.class_)
    told = (name, class_, node.state, "; ".join(node.lines) or None)
    return {f"n{place}": value for place, value in enumerate(told)}
