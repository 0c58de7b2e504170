"""Written Mermaid, read by the grammar of the flowcharts that are written: Mermaid itself runs in browsers alone."""

from __future__ import annotations

import re

from hypothesis import given

from cmdb_schemas.visible import short
from cmdb_server.answers.render.drawing import LONGEST, Drawing, Node
from cmdb_server.answers.render.mermaid import SHAPES, mermaid
from cmdb_server.answers.told import Named
from tests.drawn import DRAWINGS

TEXT = r'"((?:[^"#;<>`|\[\]{}%&\\*~@\n]|<br/>|#\d+;)*)"'
SHAPED = "|".join(f"(?:{re.escape(opening)}{TEXT}{re.escape(closing)})" for opening, closing in SHAPES.values())
NODE = re.compile(rf"  n(\d+)(?:{SHAPED})")
ARROW = re.compile(rf"  n(\d+) (-->|-\.->)(?:\|{TEXT}\|)? n(\d+)")
TITLE = re.compile(r"  accTitle: (?:[^#;<>`%{}\n]|#\d+;)+")


def decoded(text: str) -> str:
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text)


@given(DRAWINGS)
def test_hostile_texts_stay_labels(drawing: Drawing) -> None:
    first, title, *rest = mermaid(drawing).split("\n")[:-1]
    assert first == "flowchart LR" and TITLE.fullmatch(title)
    every = drawing.every()
    nodes = [NODE.fullmatch(line) for line in rest[: len(every)]]
    for place, (found, node) in enumerate(zip(nodes, every.values(), strict=True)):
        assert found is not None and int(found[1]) == place
        (label,) = [one for one in found.groups()[1:] if one is not None]
        assert [decoded(line) for line in label.split("<br/>")] == [short(line, LONGEST) for line in node.label]
    arrows = [ARROW.fullmatch(line) for line in rest[len(every) :]]
    told = [(int(one[1]), int(one[4]), decoded(one[3] or ""), one[2] == "-.->") for one in arrows if one is not None]
    ids = list(every)
    assert told == [
        (ids.index(one.source), ids.index(one.target), short(one.label, LONGEST), one.holds) for one in drawing.arrows
    ]


def test_no_label_is_taken_for_markdown() -> None:
    for name, written in (("1. a", "1#46; a"), ("- a", "#45; a"), ("_a_ b_c", "#95;a#95; b_c"), ("a-b.c", "a-b.c")):
        drawing = Drawing("t", {"1": Node(Named("1", name, None), "plain")}, ())
        assert f'n0["{written}"]' in mermaid(drawing)


def test_states_have_shapes_of_their_own() -> None:
    assert len(set(SHAPES.values())) == len(SHAPES)
