"""Drawings for Graphviz."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cmdb_schemas.visible import short
from cmdb_server.answers.render.drawing import LONGEST, Drawing, Node, State

SHAPES: dict[State, str] = {
    "failed": "shape=doubleoctagon, style=bold",
    "down": "shape=octagon, style=bold",
    "degraded": "shape=hexagon, style=dashed",
    "up": "shape=box, style=rounded",
    "asked": "shape=box, peripheries=2",
    "plain": "shape=box",
    "note": "shape=note",
}


def dot(drawing: Drawing) -> str:
    """The drawing as one ``digraph``."""
    return "\n".join(_lines(drawing)) + "\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    yield "digraph cmdb {"
    yield f'  graph [rankdir=LR, charset="UTF-8", labelloc=t, label={_quoted([drawing.title])}];'
    yield '  node [fontname="sans-serif"];'
    yield '  edge [fontname="sans-serif", fontsize=10];'
    number = {}
    for place, (id_, node) in enumerate(drawing.every().items()):
        number[id_] = f"n{place}"
        yield f"  {number[id_]} [{_attributes(node)}];"
    for arrow in drawing.arrows:
        style = ", style=dashed" if arrow.holds else ""
        yield f"  {number[arrow.source]} -> {number[arrow.target]} [label={_quoted([arrow.label])}{style}];"
    yield "}"


def _attributes(node: Node) -> str:
    tooltip = f", tooltip={_quoted([node.ci.id])}" if node.ci is not None else ""
    return f"label={_quoted(node.label)}, {SHAPES[node.state]}{tooltip}"


def _quoted(lines: Iterable[str]) -> str:
    """Lines as one string of the language. Graphviz reads escapes and HTML's entities in labels."""
    return '"' + "\\n".join(_escaped(short(line, LONGEST)) for line in lines) + '"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
