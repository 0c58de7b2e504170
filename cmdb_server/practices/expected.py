"""What a change is expected to leave of the graph: told with it, checked when it is told, held against the graph after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cmdb_server.practices.booked import CHANGE
from cmdb_server.practices.field import Fault
from cmdb_server.practices.guards import Attempt, guard
from cmdb_server.practices.kept_check import invalid

KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "remove": (("ci",), ()),
    "create": (("class", "name"), ()),
    "set": (("ci", "attribute"), ("value",)),
    "relate": (("from", "relation", "to"), ("group", "weight")),
    "unrelate": (("from", "relation", "to"), ()),
}
"""edit -> (what it needs, what it may have)."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One edit that is expected: ``remove`` a CI, ``create`` one of a ``class_`` and ``name``, ``set`` an attribute (to
    ``value``, or with ``any_value`` to whatever), ``relate`` or ``unrelate``. CIs by any of their ids."""

    edit: str
    ci: str = ""
    attribute: str = ""
    value: Any = None
    any_value: bool = False
    class_: str = ""
    name: str = ""
    from_: str = ""
    relation: str = ""
    to: str = ""
    group: str | None = None
    weight: int | None = None


def expectations(told: Sequence[Any], path: str = "body.expected") -> tuple[Expectation, ...]:
    """What is told. Raises Invalid with the paths of all that is wrong."""
    faults = [fault for place, one in enumerate(told) for fault in _faults(one, f"{path}[{place}]")]
    if faults:
        raise invalid(faults)
    return tuple(
        Expectation(**{_field(key): value for key, value in one.items()}, any_value="value" not in one) for one in told
    )


def _field(key: str) -> str:
    return f"{key}_" if key in ("class", "from") else key


def _faults(one: Any, path: str) -> Iterator[Fault]:
    edit = one.get("edit") if isinstance(one, dict) else None
    if not isinstance(edit, str) or edit not in KEYS:
        yield f"{path}.edit", f"must be one of {', '.join(KEYS)}"
        return
    needed, allowed = KEYS[edit]
    for key in needed:
        if not isinstance(one.get(key), str) or not one[key]:
            yield f"{path}.{key}", f"is needed for {edit}, as a text"
    for key in one:
        if key not in ("edit", *needed, *allowed):
            yield f"{path}.{key}", f"is no part of {edit}"
    for key, type_ in (("group", str), ("weight", int)):
        if one.get(key) is not None and not isinstance(one[key], type_):
            yield f"{path}.{key}", "must be a text" if type_ is str else "must be a whole number"


@guard(CHANGE, "open", "edit")
def well_told(attempt: Attempt) -> None:
    """Refuses expectations that cannot be held against anything."""
    expectations(attempt.after.body.get("expected", ()))
