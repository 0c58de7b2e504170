"""Drawings as Mermaid flowcharts, which many ticket systems and wikis draw."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cmdb_schemas.visible import short
from cmdb_server.answers.render.drawing import LONGEST, Drawing, State

SHAPES: dict[State, tuple[str, str]] = {
    "failed": ("[[", "]]"),
    "down": ("[/", "/]"),
    "degraded": ("{{", "}}"),
    "up": ("(", ")"),
    "asked": ("([", "])"),
    "plain": ("[", "]"),
    "note": (">", "]"),
}
_ACTIVE = re.compile(r"(?<![^\W_])_|_(?![^\W_])|[-.](?=\s|$)|[^\w ,./-]")
"""Everything but letters, digits and what is harmless where it stands: Mermaid's texts are Markdown and HTML."""


def mermaid(drawing: Drawing) -> str:
    """The drawing as one flowchart."""
    return "\n".join(_lines(drawing)) + "\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    yield "flowchart LR"
    yield f"  accTitle: {_escaped(short(drawing.title, 2 * LONGEST))}"
    number = {}
    for place, (id_, node) in enumerate(drawing.every().items()):
        number[id_] = f"n{place}"
        opening, closing = SHAPES[node.state]
        yield f"  {number[id_]}{opening}{_quoted(node.label)}{closing}"
    for arrow in drawing.arrows:
        line = "-.->" if arrow.holds else "-->"
        label = f"|{_quoted([arrow.label])}|" if arrow.label else ""
        yield f"  {number[arrow.source]} {line}{label} {number[arrow.target]}"


def _quoted(lines: Iterable[str]) -> str:
    return '"' + "<br/>".join(_escaped(short(line, LONGEST)) for line in lines) + '"'


def _escaped(text: str) -> str:
    return _ACTIVE.sub(lambda found: f"#{ord(found[0])};", text)
