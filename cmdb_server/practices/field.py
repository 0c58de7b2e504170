"""One field of a kind: an attribute as CI classes have them, or one of the types that work needs besides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cmdb_schemas.attribute import Attribute, Refuse, check_value, declared
from cmdb_server.errors import Invalid
from cmdb_server.model import calendar, instants
from cmdb_server.model.selector_parser import parse

OPTIONS = frozenset({"required", "states", "default"})
"""What a definition may tell of a field besides what it tells of an attribute."""
LONGEST_STRING, LONGEST_TEXT, MOST = 1024, 65536, 1000
NOW = "now"
"""The default of a time: when the thing is opened."""
NUMBER = re.compile(r"[A-Z]{2,8}[0-9]{7,12}")
Fault = tuple[str, str]
"""A path and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``type``: an attribute's, ``text`` (long), ``time`` (RFC 3339), ``window``, ``selector``, ``thing``
    (the number of what is kept) or ``object`` (a practice's own). ``required``: from the start. ``states``: edited in
    these alone, where any are given."""

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


def field(name: str, told: Any, refuse: Refuse) -> Field:
    """The field that a table of a kind's file tells. Raises what ``refuse`` makes of the option that is wrong."""
    plain = {key: value for key, value in told.items() if key not in OPTIONS} if isinstance(told, dict) else told
    own = plain.get("type") if isinstance(plain, dict) and plain.get("type") in OWN else None
    if own is not None and "choices" in plain:
        raise refuse("choices", f"a {own} has none")
    attribute = declared(name, {**plain, "type": "string"} if own is not None else plain, refuse)
    required, states, default = told.get("required", False), told.get("states", []), told.get("default")
    if not isinstance(required, bool):
        raise refuse("required", "must be true or false")
    if not isinstance(states, list) or not all(isinstance(one, str) for one in states):
        raise refuse("states", "must be a list of states")
    made = Field(
        name, own or attribute.type, attribute.title, replace(attribute, many=False), attribute.many, required,
        frozenset(states), default,
    )  # fmt: skip
    if default is not None and (own, default) != ("time", NOW) and made.faults(default, ""):
        raise refuse("default", "is none of its values")
    return made
