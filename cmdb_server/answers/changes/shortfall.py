"""In what a change did not leave what was expected, as words for who has to look after it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cmdb_server.ingest.declare import resolve_all
from cmdb_server.store.port import Reading
from cmdb_server.store.tables import CI

LISTED = 20
MISSING, STRAY = "missing", "not planned"
NAME, PARENT = CI.position("name"), CI.position("parent")
ENDS = ("from", "to")


@dataclass(frozen=True, slots=True)
class Shortfall:
    """``rows``: (missing or not planned, what), the first ones. ``more``: how many are not listed."""

    rows: tuple[tuple[str, str], ...]
    more: int


def shortfall(tx: Reading, verification: Mapping[str, Any], changed: Collection[str]) -> Shortfall:
    """Of a verification as it is kept. CIs are called by their names now. Of a relation only what is ``changed``, and
    its parts, is named: who is told may not see the other end."""
    result = verification["result"]
    missing = [one["expected"] for one in result["outcomes"] if one["result"] == MISSING]
    stray = result["unplanned"]
    ids = {one[key] for one in missing for key in ("ci", *ENDS) if one[key]}
    ids |= {id_ for one in stray if one["kind"] == "relation" for id_ in (one["id"][0], one["id"][2])}
    known = _Known(tx, ids, changed)
    rows = [*((MISSING, known.expected(one)) for one in missing), *((STRAY, known.different(one)) for one in stray)]
    return Shortfall(tuple(rows[:LISTED]), max(0, len(rows) - LISTED) + result["more"])


class _Known:
    def __init__(self, tx: Reading, ids: Collection[str], changed: Collection[str]) -> None:
        living = resolve_all(tx, ids)
        rows = tx.get(CI, [(id_,) for id_ in set(living.values())])
        own = set(resolve_all(tx, changed).values())
        self.names = {id_: rows[(ci,)][NAME] for id_, ci in living.items() if (ci,) in rows}
        self.own = {id_ for id_, ci in living.items() if (ci,) in rows and {ci, rows[(ci,)][PARENT]} & own}

    def expected(self, one: Mapping[str, Any]) -> str:
        edit, ci = one["edit"], self.names.get(one["ci"], one["ci"])
        if edit == "set":
            return f"{ci} {one['attribute']}" + ("" if one["any_value"] else f": {one['value']}")
        if edit == "create":
            return f"{one['class']} {one['name']} created"
        if edit == "remove":
            return f"{ci} removed"
        ends = [self.names.get(one[end], one[end]) for end in ENDS]
        return f"{edit} {ends[0]} {one['relation']} {ends[1]}"

    def different(self, one: Mapping[str, Any]) -> str:
        if one["kind"] == "relation":
            ends = dict.fromkeys(self.names[id_] for id_ in (one["id"][0], one["id"][2]) if id_ in self.own)
            return " ".join((*ends, one["class"], one["change"]))
        return f"{one['name']} {one['change']}{''.join(_values(one['values']))}"


def _values(told: Mapping[str, Any]) -> Iterator[str]:
    for place, (name, (before, after)) in enumerate(sorted(told.items())):
        yield f"{', ' if place else ': '}{name} from {before} to {after}"
