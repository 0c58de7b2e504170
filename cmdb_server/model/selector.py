"""Selectors: which CIs are meant, in a small subset of CEL (docs/selectors.md)."""

from __future__ import annotations

from dataclasses import dataclass

from cmdb_server.model.selector_check import check
from cmdb_server.model.selector_evaluation import Subject, evaluate
from cmdb_server.model.selector_parser import parse
from cmdb_server.model.selector_tree import Node
from cmdb_server.model.selector_vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Selector:
    """``text`` as it was written, ``tree`` as it was understood."""

    text: str
    tree: Node

    @classmethod
    def of(cls, text: str, vocabulary: Vocabulary) -> Selector:
        """Raises SelectorError, which names the column."""
        return cls(text, check(parse(text), vocabulary))

    def matches(self, subject: Subject, now: float) -> bool:
        """Whether the CI fits for certain: what is unknown is no match. ``now``: ms since 1970 UTC."""
        return evaluate(self.tree, subject, now) is True
