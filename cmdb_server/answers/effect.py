"""What a decision would change, in words that a person can judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cmdb_server.ingest.decisions import Effect
from cmdb_server.ingest.rehearsal import CiChange

MOVES, CHANGES, GONE = "record moves", "CI changes", "CI is no more"
OF_ITSELF = {"@class": "class", "@parent": "what it is part of"}
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that would change. ``what``: MOVES, CHANGES or GONE. ``id``: the record's or the CI's."""

    what: str
    id: str
    text: str


def words(effect: Effect) -> tuple[Said, ...]:
    """What becomes of each CI, things before their components, then what moves."""
    named = {one.id: one for one in effect.cis}
    return (*_cis(effect, named), *_moved(effect, named))


Cis = Mapping[str, CiChange]


def _cis(effect: Effect, named: Cis) -> Iterator[Said]:
    gone = set(effect.gone)
    for one in sorted(effect.cis, key=lambda one: (bool(one.parent), one.id not in gone, one.class_, one.name, one.id)):
        yield Said(GONE if one.id in gone else CHANGES, one.id, f"{_name(named, one)} {_becomes(named, one)}")


def _becomes(named: Cis, one: CiChange) -> str:
    values = ", ".join(
        f"{OF_ITSELF.get(name, name)} {_value(named, old)} -> {_value(named, new)}"
        for name, (old, new) in one.values.items()
    )
    more = f": {values}" if values else ""
    if one.change == "merge":
        return f"becomes part of {_named(named, str(one.into))}"
    if one.change == "create":
        return "comes to be, with values of its own"
    return {
        "remove": "is no more", "end": f"counts as gone{more}", "return": f"is there again{more}",
    }.get(one.change, f"stays, and changes{more}" if values else "stays; only who tells of it changes")  # fmt: skip


def _moved(effect: Effect, named: Cis) -> Iterator[Said]:
    for id_, (former, now) in effect.moved.items():
        source, target, class_ = effect.told_by.get(id_, ("", "", "record"))
        way = f"from {_named(named, former)} to {_named(named, now)}"
        yield Said(MOVES, id_, f"what {source} says of a {class_} at {target} goes {way}")


def _named(named: Cis, ci: str) -> str:
    return _name(named, named[ci]) if ci in named else ci


def _name(named: Cis, one: CiChange) -> str:
    """With what it is a component of, where that changes too: half the machines have an ``eth0``."""
    whole = _now(named[one.parent]) if one.parent in named else ""
    return f"{one.class_} {_now(one) or one.id}" + (f" of {whole}" if whole else "")


def _now(one: CiChange) -> str:
    """What people know it by: the other's name may be what it takes over."""
    return str(one.values.get("name", (None, None))[0] or one.name)


def _value(named: Cis, value: Any) -> str:
    if value is None:
        return "nothing"
    text = _named(named, value) if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
