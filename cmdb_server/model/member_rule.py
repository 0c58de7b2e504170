"""The rule by which a service has its members: a selector that says the same for as long as the graph does."""

from __future__ import annotations

from cmdb_server.errors import Invalid
from cmdb_server.model.selector import Selector
from cmdb_server.model.selector_lexer import SelectorError
from cmdb_server.model.selector_tree import Compare, Moment, fields, parts
from cmdb_server.model.selector_vocabulary import Vocabulary

ATTRIBUTE = "member_rule"
RELATION = "depends_on"
"""What a service is to its members."""
_MOVING = ("site", "stage")


def member_rule(text: str, vocabulary: Vocabulary, path: str = ATTRIBUTE) -> Selector:
    """The rule. Raises ``Invalid``, with the path and the column, for what is no selector or would come and go with
    the time of day alone: where and when a CI was seen last, and how long ago something was."""
    try:
        rule = Selector.of(text, vocabulary)
    except SelectorError as error:
        raise _refused(path, error.detail.removeprefix("select, ")) from error
    moving = sorted(one.name for one in fields(rule.tree) if one.own and one.name in _MOVING)
    if moving:
        raise _refused(path, f"{moving[0]} changes without any change of the graph, so that members would come and go")
    if any(
        isinstance(one, Compare) and isinstance(one.value, Moment) and one.value.after_now for one in parts(rule.tree)
    ):
        raise _refused(path, "now makes members come and go without any change of the graph")
    return rule


def _refused(path: str, problem: str) -> Invalid:
    return Invalid(f"{path}: {problem}", errors=[{"path": path, "message": problem}])
