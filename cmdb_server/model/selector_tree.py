"""A selector whose names and types are known: what masks are compiled from and single CIs are held against.

Every condition is true, false or unknown (Kleene): what is absent or stale is unknown, and never a match.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cmdb_server.model.selector_pattern import Pattern

Kind = Literal["string", "number", "boolean", "time", "duration", "strings", "numbers", "other"]
"""How a value is compared. Times are ms since 1970 UTC, durations ms; ``other`` is there or not, no more."""
Constant = str | float | bool

OWN = ("id", "class", "name", "parent", "site", "stage", "first_discovered")
"""What a CI has beside its attributes; a CI that is not seen any more keeps it."""


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a CI. ``own``: one of ``OWN``. ``units``: a quantity's, the first that converts counts."""

    name: str
    kind: Kind
    own: bool = False
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """A time: ``ms`` since 1970 UTC, or that much after now."""

    ms: float
    after_now: bool = False

    def at(self, now: float) -> float:
        return self.ms + now if self.after_now else self.ms


@dataclass(frozen=True, slots=True)
class Known:
    value: bool


@dataclass(frozen=True, slots=True)
class All:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    item: Node


@dataclass(frozen=True, slots=True)
class Same:
    """Two conditions, both true or both false."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Truth:
    field: Field


@dataclass(frozen=True, slots=True)
class Compare:
    """``sign``: ``== < <= > >=``."""

    field: Field
    sign: str
    value: str | float | Moment


@dataclass(frozen=True, slots=True)
class CompareFields:
    left: Field
    sign: str
    right: Field


@dataclass(frozen=True, slots=True)
class OneOf:
    field: Field
    values: tuple[str | float, ...]


@dataclass(frozen=True, slots=True)
class Holds:
    """A list holds the value."""

    field: Field
    value: str | float


@dataclass(frozen=True, slots=True)
class TextTest:
    """``test``: startsWith, endsWith, contains or matches."""

    field: Field
    test: str
    argument: str
    pattern: Pattern | None = None

    def holds(self, text: str) -> bool:
        if self.pattern is not None:
            return self.pattern.found_in(text)
        if self.test == "startsWith":
            return text.startswith(self.argument)
        return text.endswith(self.argument) if self.test == "endsWith" else self.argument in text


@dataclass(frozen=True, slots=True)
class Has:
    field: Field


@dataclass(frozen=True, slots=True)
class IsA:
    """``classes``: the class asked for and its descendants."""

    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Related:
    """Some CI at the other end of such a relation fits ``other``. ``incoming``: read from ``to`` to ``from``."""

    type: str
    incoming: bool
    other: Node


Node = (
    Known | All | Some | Not | Same | Truth | Compare | CompareFields | OneOf | Holds | TextTest | Has | IsA | Related
)


def parts(node: Node) -> Iterator[Node]:
    """The node and all within it."""
    yield node
    match node:
        case All(items) | Some(items):
            inner: tuple[Node, ...] = items
        case Not(item):
            inner = (item,)
        case Same(left, right):
            inner = (left, right)
        case Related(_, _, other):
            inner = (other,)
        case _:
            inner = ()
    for one in inner:
        yield from parts(one)


def fields(node: Node) -> set[Field]:
    """All fields that the node looks at."""
    found: set[Field] = set()
    for part in parts(node):
        match part:
            case CompareFields(left, _, right):
                found |= {left, right}
            case Truth(field) | Compare(field) | OneOf(field) | Holds(field) | TextTest(field) | Has(field):
                found.add(field)
            case _:
                pass
    return found
