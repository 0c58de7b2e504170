"""Written DOT, read by Graphviz itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings

from cmdb_schemas.visible import short
from cmdb_server.answers.render.dot import SHAPES, dot
from cmdb_server.answers.render.drawing import LONGEST, Drawing, Node
from cmdb_server.answers.told import Named
from tests.drawn import DRAWINGS

GRAPHVIZ = shutil.which("dot")
needs_graphviz = pytest.mark.skipif(GRAPHVIZ is None, reason="Graphviz's dot is missing (Debian: graphviz)")


def read(text: str) -> Any:
    """What Graphviz takes it for."""
    done = subprocess.run(["dot", "-Tdot_json"], input=text, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def lines(label: str) -> list[str]:
    """A label as it is drawn, line by line: its escapes and entities undone as Graphviz' manual tells."""
    parts = re.split(r"(\\.)", label)
    told = "".join("\0" if part == "\\n" else part[1] if part[:1] == "\\" else unescape(part) for part in parts)
    return told.split("\0")


@needs_graphviz
@settings(max_examples=25, deadline=None)
@given(DRAWINGS)
def test_hostile_texts_stay_labels(drawing: Drawing) -> None:
    found = read(dot(drawing))
    every = list(drawing.every().values())
    assert [lines(one["label"]) for one in found["objects"]] == [
        [short(line, LONGEST) for line in node.label] for node in every
    ]
    told = [(one["tail"], one["head"], lines(one["label"])) for one in found.get("edges", ())]
    ids = list(drawing.every())
    assert sorted(told) == sorted(
        (ids.index(one.source), ids.index(one.target), [short(one.label, LONGEST)]) for one in drawing.arrows
    )


@needs_graphviz
def test_it_is_drawn() -> None:
    text = dot(Drawing("t", {"1": Node(Named("1", "a <b> & c", "server"), "down")}, ()))
    done = subprocess.run(["dot", "-Tsvg"], input=text, check=True, capture_output=True, text=True, timeout=60)
    assert "a &lt;b&gt; &amp; c" in done.stdout and "✖ down" in done.stdout and "<b>" not in done.stdout


def test_states_have_shapes_of_their_own() -> None:
    assert len(set(SHAPES.values())) == len(SHAPES)
