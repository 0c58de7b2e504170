"""One field of a kind: an attribute as CI classes have them, or one of the types that work needs besides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from cmdb_schemas.attribute import Attribute, AttributeType, check_value
from cmdb_schemas.errors import DefinitionError
from cmdb_server.errors import Invalid
from cmdb_server.model import calendar, instants
from cmdb_server.model.selector_parser import parse

OPTIONS = frozenset({"type", "title", "unit", "target", "many", "choices", "required", "states", "default"})
LONGEST_STRING, LONGEST_TEXT, MOST = 1024, 65536, 1000
NOW = "now"
"""The default of a time: when the thing is opened."""
NUMBER = re.compile(r"[A-Z]{2,8}[0-9]{7,12}")
Fault = tuple[str, str]
"""A path and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``type``: an attribute's, ``text`` (long), ``time`` (RFC 3339), ``window``, ``selector``,
    ``thing`` (the number of what is kept) or ``object`` (a practice's own). ``required``: from the start. ``states``: edited in these alone, where any are given."""

    name: str
    type: str
    title: str
    attribute: Attribute
    many: bool = False
    required: bool = False
    states: frozenset[str] = frozenset()
    default: Any = None

    def faults(self, value: Any, path: str) -> list[Fault]:
        """What is wrong with a value, by path."""
        if not self.many:
            return list(self._one(value, path))
        if not isinstance(value, list) or len(value) > MOST:
            return [(path, f"must be a list of at most {MOST}")]
        return [fault for place, one in enumerate(value) for fault in self._one(one, f"{path}[{place}]")]

    def _one(self, value: Any, path: str) -> Iterator[Fault]:
        check = OWN.get(self.type)
        if check is not None:
            yield from check(value, path)
        elif problem := check_value(self.attribute, value):
            yield path, problem
        elif isinstance(value, str) and len(value) > LONGEST_STRING:
            yield path, f"has more than {LONGEST_STRING} characters"


def _text(value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        yield path, f"must be a text of at most {LONGEST_TEXT} characters"


def _time(value: Any, path: str) -> Iterator[Fault]:
    try:
        instants.parse(value)
    except ValueError as error:
        yield path, str(error)


def _window(value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield path, 'must be {"start": time, "end": time, "rrule": ..., "zone": ...}'
        return
    try:
        calendar.window(value, path)
    except Invalid as error:
        yield from ((one["path"], one["message"]) for one in error.extra["errors"])


def _selector(value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield path, "must be a selector"
        return
    try:
        parse(value)
    except Invalid as error:
        yield path, error.detail


def _thing(value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        yield path, "must be a number such as CHG0000001"


def _object(value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield path, "must be an object"


OWN: Mapping[str, Callable[[Any, str], Iterator[Fault]]] = {
    "text": _text, "time": _time, "window": _window, "selector": _selector, "thing": _thing,
    "object": _object,
}  # fmt: skip
"""The types that attributes of CIs do not have."""


def field(name: str, told: Mapping[str, Any]) -> Field:
    """The field that a table of a kind's file tells. Raises ``DefinitionError`` naming the option."""
    title, many = told.get("title"), told.get("many", False)
    type_: Any = told.get("type")
    if type_ not in OWN and type_ not in get_args(AttributeType):
        raise DefinitionError(f"type: must be one of {', '.join((*get_args(AttributeType), *OWN))}")
    if not isinstance(title, str) or not title:
        raise DefinitionError("title: must be a text")
    choices, states = told.get("choices", []), told.get("states", [])
    if not isinstance(choices, list) or not isinstance(states, list):
        raise DefinitionError("choices, states: must be lists")
    basic: Any = "string" if type_ in OWN else type_
    attribute = Attribute(name, basic, title, told.get("unit"), told.get("target"), False, tuple(choices))
    made = Field(
        name, type_, title, attribute, bool(many), bool(told.get("required", False)), frozenset(states),
        told.get("default"),
    )  # fmt: skip
    if made.default not in (None, NOW if type_ == "time" else None) and made.faults(made.default, ""):
        raise DefinitionError("default: is none of its values")
    return made
