"""Written GraphML, read back by networkx."""

from __future__ import annotations

import io
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.answers.graphml import TAIL, Column, cell, edge, head, node, type_of

COLUMNS = (Column("node", "n0", 'a "name" <&>'), Column("edge", "e0", "weight", "long"))


def read(*parts: str) -> Any:
    return nx.read_graphml(io.BytesIO("".join((head(COLUMNS), *parts, TAIL)).encode()))


@given(st.text(st.characters(min_codepoint=32, exclude_characters="\ufffe\uffff", exclude_categories=["Cs"])))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    graph = read(node("a", {"n0": text}), node("b", {}), edge("a", "b", {"e0": 3}))
    assert text == "" or graph.nodes["a"]['a "name" <&>'] == text
    assert graph.edges["a", "b"]["weight"] == 3


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert read(node("a", {"n0": "x\x00\x1b\uffff"})).nodes["a"]['a "name" <&>'] == "x���"


@pytest.mark.parametrize(
    ("types", "told"),
    [((int,), "long"), ((int, float), "double"), ((bool,), "boolean"), ((int, str), "string"), ((list,), "string")],
)
def test_a_type_holds_all_values(types: tuple[type, ...], told: str) -> None:
    assert type_of(types) == told


def test_other_than_texts_are_json() -> None:
    assert [cell(value) for value in (None, "a", 1, [True], {"b": 1, "a": 2})] == [
        "",
        "a",
        "1",
        "[true]",
        '{"a":2,"b":1}',
    ]
