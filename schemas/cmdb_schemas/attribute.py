"""One attribute of a CI class, and whether a value fits it: a hot path, run for every value of every report."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, Literal, get_args

from cmdb_schemas.address import ip_address, mac_address
from cmdb_schemas.errors import DefinitionError
from cmdb_schemas.gate import gates_problem
from cmdb_schemas.relations import relation_types
from cmdb_schemas.units import comparable, duration_ms

AttributeType = Literal[
    "string", "integer", "number", "boolean", "date", "duration", "quantity", "money", "uri", "ip_address", "mac_address",
    "reference", "gate",
]  # fmt: skip

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_SHOWN = 60
"""So much of a value is told with what is wrong with it."""
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. ``unit`` is a quantity's, ``target`` a reference's class; ``many``: a list of such values;
    ``choices``: the only values there are, if any are given."""

    name: str
    type: AttributeType
    title: str
    unit: str | None = None
    target: str | None = None
    many: bool = False
    choices: tuple[str, ...] = ()


OPTIONS = frozenset({"type", "title", "unit", "target", "many", "choices"})
"""What a definition may tell of an attribute."""
Refuse = Callable[[str, str], DefinitionError]
"""The refusal of an option, by its name and what is wrong with it."""


def declared(name: str, told: Any, refuse: Refuse) -> Attribute:
    """The attribute that a table of a definition tells. Raises what ``refuse`` makes of the option that is wrong (of
    ``""`` for all of it)."""
    if not isinstance(told, dict):
        raise refuse("", 'must be a table such as { type = "string", title = "..." }')
    for key in told:
        if key not in OPTIONS:
            raise refuse(key, f"unknown key; known are {', '.join(sorted(OPTIONS))}")
    kind: Any = told.get("type")
    if kind not in get_args(AttributeType):
        raise refuse("type", f"must be one of {', '.join(get_args(AttributeType))}")
    for key, of in (("unit", "quantity"), ("target", "reference")):
        if (key in told) != (kind == of):
            raise refuse(key, f"a {of} has one, and nothing else does")
    title, many, choices = told.get("title"), told.get("many", False), told.get("choices", [])
    if not isinstance(title, str) or not title:
        raise refuse("title", "must be a text")
    if not isinstance(many, bool):
        raise refuse("many", "must be true or false")
    if not isinstance(choices, list) or not all(isinstance(one, str) for one in choices):
        raise refuse("choices", "must be a list of texts")
    return Attribute(name, kind, title, told.get("unit"), told.get("target"), many, tuple(choices))


def check_value(attribute: Attribute, value: object) -> str | None:
    """What is wrong with the value, in words; None when it fits. None and empty values fit: they say nothing."""
    if value is None or value in ("", [], {}):
        return None
    if not attribute.many:
        return _check_one(attribute, value)
    if not isinstance(value, list):
        return "must be a list"
    for index, item in enumerate(value):
        if problem := _check_one(attribute, item):
            return f"[{index}] {problem}"
    return None


def is_spelt(attribute: Attribute) -> bool:
    """Whether one value of the attribute may be written in several ways (``canonical``)."""
    return attribute.type in _SPELLINGS


def canonical(attribute: Attribute, value: Any) -> Any:
    """The one way to write a value of the attribute; what does not fit stays as it is."""
    spelling = _SPELLINGS.get(attribute.type)
    if spelling is None:
        return value
    if isinstance(value, list):
        return list(dict.fromkeys(_spelt(spelling, item) for item in value))
    return _spelt(spelling, value)


def _spelt(spelling: Callable[[str], str | None], value: Any) -> Any:
    return (spelling(value) or value) if isinstance(value, str) else value


def _check_one(attribute: Attribute, value: object) -> str | None:
    problem = _CHECKS[attribute.type](attribute, value)
    if problem is None and attribute.choices and value not in attribute.choices:
        return f"must be one of {', '.join(attribute.choices)}"
    return problem


def _string(_: Attribute, value: object) -> str | None:
    return None if isinstance(value, str) else "must be a text"


def _integer(_: Attribute, value: object) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) else "must be an integer"


def _number(_: Attribute, value: object) -> str | None:
    return None if _is_number(value) else "must be a number"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _boolean(_: Attribute, value: object) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _date(_: Attribute, value: object) -> str | None:
    """A day, or a moment with its offset (RFC 3339)."""
    if isinstance(value, str):
        try:
            if len(value) == len("2026-01-31"):
                date.fromisoformat(value)
                return None
            if datetime.fromisoformat(value).tzinfo is not None:
                return None
        except ValueError:
            pass
    return "must be a date, or an RFC 3339 time with its offset"


def _duration(_: Attribute, value: object) -> str | None:
    return None if duration_ms(value) is not None else "must be an ISO 8601 duration such as P30D or PT12H"


def _quantity(attribute: Attribute, value: object) -> str | None:
    if not isinstance(value, dict) or set(value) != {"value", "unit"} or not _is_number(value["value"]):
        return f'must be {{"value": number, "unit": "{attribute.unit}"}}'
    unit = value["unit"]
    if not isinstance(unit, str) or not comparable(unit, attribute.unit or ""):
        return f"must be in {attribute.unit} or a unit that converts to it"
    return None


def _money(_: Attribute, value: object) -> str | None:
    if isinstance(value, dict) and set(value) == {"amount", "currency"}:
        amount, currency = value["amount"], value["currency"]
        if isinstance(amount, int) and not isinstance(amount, bool) and isinstance(currency, str):
            return None if _CURRENCY.fullmatch(currency) else "currency must be an ISO 4217 code such as EUR"
    return 'must be {"amount": minor units, "currency": "EUR"}'


def _uri(_: Attribute, value: object) -> str | None:
    return None if isinstance(value, str) and _URI.fullmatch(value) else "must be a URI"


def _ip_address(_: Attribute, value: object) -> str | None:
    if isinstance(value, str) and ip_address(value):
        return None
    return f"must be an IP address such as 10.0.0.7 or 2001:db8::7, not {_shown(value)}"


def _mac_address(_: Attribute, value: object) -> str | None:
    if isinstance(value, str) and mac_address(value):
        return None
    return f"must be a MAC address such as 00:1b:21:3c:9d:00, not {_shown(value)}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _gate(_: Attribute, value: object) -> str | None:
    return gates_problem(value) or _unknown_relation(value)


def _unknown_relation(gates: Any) -> str | None:
    """A gate over relations that there are not, or along which nothing fails, would be waited for in vain."""
    if "kind" in gates:
        return None
    known = [name for name, type_ in relation_types().items() if type_.gate is not None]
    for name in gates:
        if name.partition("/")[0] not in known:
            near = get_close_matches(name.partition("/")[0], known, 1)
            return f"{name}: failure follows no relation type of that name" + (
                f"; did you mean {near[0]}?" if near else ""
            )
    return None


def _reference(attribute: Attribute, value: object) -> str | None:
    return None if isinstance(value, str) else f"must name a {attribute.target}"


_CHECKS: dict[AttributeType, Callable[[Attribute, object], str | None]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "duration": _duration,
    "quantity": _quantity,
    "money": _money,
    "uri": _uri,
    "ip_address": _ip_address,
    "mac_address": _mac_address,
    "reference": _reference,
    "gate": _gate,
}

_SPELLINGS: dict[AttributeType, Callable[[str], str | None]] = {"ip_address": ip_address, "mac_address": mac_address}
