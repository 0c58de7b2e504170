"""One CI held against a selector: True, False, or None where it is not known."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from typing import Any, Protocol

from cmdb_server.model.selector_tree import (
    All,
    Compare,
    CompareFields,
    Field,
    Has,
    Holds,
    IsA,
    Known,
    Moment,
    Node,
    Not,
    OneOf,
    Related,
    Same,
    Some,
    TextTest,
    Truth,
)
from cmdb_server.model.selector_values import Value, value_of

COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class Unknown(Enum):
    """Instead of a value that nobody has confirmed lately enough to be relied on."""

    VALUE = auto()


UNKNOWN = Unknown.VALUE


class Subject(Protocol):
    """A CI as it is looked at. ``stale``: nobody sees it any more, so that its attributes and relations are unknown."""

    @property
    def stale(self) -> bool: ...

    def own(self, name: str) -> Any:
        """What it has beside its attributes, by one of ``selector_tree.OWN``; None or empty where it has none."""

    def attribute(self, name: str) -> Any:
        """The value as the graph holds it, None where there is none, ``UNKNOWN`` where it has gone stale."""

    def related(self, type_: str, incoming: bool) -> Iterable[Subject]:
        """The CIs at the other ends of its relations of this type."""


def evaluate(node: Node, subject: Subject, now: float) -> bool | None:
    """Whether the CI fits, by Kleene's logic. ``now``: ms since 1970 UTC."""
    match node:
        case Known(value):
            return value
        case All(items):
            return _all(evaluate(item, subject, now) for item in items)
        case Some(items):
            return _some(evaluate(item, subject, now) for item in items)
        case Not(item):
            found = evaluate(item, subject, now)
            return None if found is None else not found
        case Same(left, right):
            one, other = evaluate(left, subject, now), evaluate(right, subject, now)
            return None if one is None or other is None else one == other
        case IsA(classes):
            return subject.own("class") in classes
        case Has(field):
            if subject.stale and not field.own:
                return None
            raw = _raw(field, subject)
            return None if raw is UNKNOWN else raw not in (None, "", [], {})
        case Related(type_, incoming, other):
            return None if subject.stale else _some(evaluate(other, o, now) for o in subject.related(type_, incoming))
        case CompareFields(first, sign, second):
            a, b = _value(first, subject), _value(second, subject)
            return None if a is None or b is None else bool(COMPARE[sign](a, b))
        case _:
            found_ = _value(node.field, subject)
            return None if found_ is None else _holds(node, found_, now)


def _holds(node: Truth | Compare | OneOf | Holds | TextTest, value: Any, now: float) -> bool:
    match node:
        case Truth():
            return bool(value)
        case Compare(_, sign, wanted):
            return bool(COMPARE[sign](value, wanted.at(now) if isinstance(wanted, Moment) else wanted))
        case OneOf(_, values):
            return value in values
        case Holds(_, wanted):
            return wanted in value
        case TextTest():
            return node.holds(value)


def _raw(field: Field, subject: Subject) -> Any:
    return subject.own(field.name) if field.own else subject.attribute(field.name)


def _value(field: Field, subject: Subject) -> Value | None:
    if subject.stale and not field.own:
        return None
    raw = _raw(field, subject)
    return None if raw is UNKNOWN else value_of(field, raw)


def _all(found: Iterable[bool | None]) -> bool | None:
    unknown = False
    for one in found:
        if one is False:
            return False
        unknown = unknown or one is None
    return None if unknown else True


def _some(found: Iterable[bool | None]) -> bool | None:
    unknown = False
    for one in found:
        if one:
            return True
        unknown = unknown or one is None
    return None if unknown else False
