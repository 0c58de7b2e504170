"""Kleene's tables; meanings are held down in ``test_selector``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from cmdb_server.model.selector_evaluation import Subject, evaluate
from cmdb_server.model.selector_tree import All, Field, Known, Node, Not, Related, Same, Some, Truth

UNKNOWN = Truth(Field("x", "boolean"))
T, F = Known(True), Known(False)


class Nothing:
    stale = False

    def own(self, name: str) -> Any:
        return None

    attribute = own

    def related(self, type_: str, incoming: bool) -> Iterable[Subject]:
        return [self]


@pytest.mark.parametrize(
    ("node", "wanted"),
    [
        (All((T, UNKNOWN)), None), (All((F, UNKNOWN)), False), (All((UNKNOWN, F)), False), (All((T, T)), True),
        (Some((T, UNKNOWN)), True), (Some((UNKNOWN, T)), True), (Some((F, UNKNOWN)), None), (Some((F, F)), False),
        (Not(UNKNOWN), None), (Not(T), False), (Same(T, UNKNOWN), None), (Same(F, F), True), (Same(T, F), False),
        (Related("r", False, UNKNOWN), None), (Related("r", False, T), True), (Related("r", False, F), False),
    ],
)  # fmt: skip
def test_kleene(node: Node, wanted: bool | None) -> None:
    assert evaluate(node, Nothing(), 0) is wanted
