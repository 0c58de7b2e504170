"""Whether what people tell of a kept thing fits its kind: fields, CIs, and who may do it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cmdb_server.errors import Invalid
from cmdb_server.ingest.declare import resolve_all
from cmdb_server.model import instants
from cmdb_server.practices.field import Fault, Field
from cmdb_server.practices.kind import NOT_REQUESTER, OWNER, PRACTICE, REQUESTER, Kind
from cmdb_server.store import tables
from cmdb_server.store.port import Reading

MOST_CIS = 10_000
Cis = Mapping[str, Sequence[str]]


def invalid(faults: Iterable[Fault]) -> Invalid:
    """One refusal of all that is wrong, with the paths."""
    errors = [{"path": path, "message": message} for path, message in faults]
    return Invalid("; ".join(f"{one['path']}: {one['message']}" for one in errors), errors=errors)


def is_told(value: Any) -> bool:
    """Whether a value says anything."""
    return value is not None and value not in ("", [], {})


def body_faults(kind: Kind, body: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with these fields by themselves. A field that is None or empty says nothing."""
    for name, value in body.items():
        declared = kind.fields.get(name)
        if declared is None:
            yield f"body.{name}", f"{kind.title} has no such field"
        elif is_told(value):
            yield from declared.faults(value, f"body.{name}")


def missing(names: Iterable[str], body: Mapping[str, Any], cis: Cis) -> Iterator[Fault]:
    """Fields, and roles as ``cis.ROLE``, that say nothing yet."""
    for name in names:
        if name.startswith("cis."):
            if not cis.get(name.removeprefix("cis.")):
                yield name, "is needed"
        elif not is_told(body.get(name)):
            yield f"body.{name}", "is needed"


def needed(kind: Kind) -> tuple[str, ...]:
    """What every thing of the kind has from its opening on."""
    fields = [one.name for one in kind.fields.values() if one.required]
    return (*fields, *(f"cis.{one.name}" for one in kind.cis.values() if one.required))


def whole_faults(kind: Kind, body: Mapping[str, Any], cis: Cis, faults: Collection[Fault]) -> Iterator[Fault]:
    """What is wrong with all of it together: what it lacks, and times that come before those they follow. ``faults``:
    what is wrong with parts of it, which are left alone."""
    yield from missing(needed(kind), body, cis)
    wrong = {path for path, _ in faults}
    for earlier, later in kind.order:
        told = all(is_told(body.get(name)) and f"body.{name}" not in wrong for name in (earlier, later))
        if told and instants.parse(body[later]) < instants.parse(body[earlier]):
            yield f"body.{later}", f"is before {earlier}"


def frozen(changed: Iterable[str], fields: Mapping[str, Field], states: Collection[str]) -> Iterator[Fault]:
    """Fields that are not edited in any of these states."""
    for name in changed:
        allowed = fields[name].states
        if allowed and not allowed.intersection(states):
            yield f"body.{name}", f"is edited in {', '.join(sorted(allowed))} alone"


def cis_faults(tx: Reading, kind: Kind, cis: Cis, held: Collection[str] = ()) -> Iterator[Fault]:
    """What is wrong with the CIs that are named: an unknown role or id, too many, one that is no more. ``held``: ids
    that it names already, which may have gone since."""
    new = {id_ for ids in cis.values() for id_ in ids if id_ not in held}
    living = resolve_all(tx, new)
    ended = {key[0] for key, row in tx.get(tables.CI, [(id_,) for id_ in set(living.values())]).items() if row[7]}
    for role, ids in cis.items():
        declared = kind.cis.get(role)
        if declared is None:
            yield f"cis.{role}", f"{kind.title} names no CIs so"
        elif len(ids) > (MOST_CIS if declared.many else 1):
            yield f"cis.{role}", f"at most {MOST_CIS if declared.many else 1}"
        else:
            for place, id_ in enumerate(ids):
                if id_ in new and (living.get(id_) is None or living[id_] in ended):
                    yield f"cis.{role}[{place}]", f"{id_} is {'retired' if id_ in living else 'no CI'}"


def things(kind: Kind, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, number) of every thing that these fields name."""
    for name, value in body.items():
        declared = kind.fields.get(name)
        if declared is not None and declared.type == "thing" and is_told(value):
            yield from ((name, one) for one in (value if declared.many else [value]) if isinstance(one, str))


def thing_faults(tx: Reading, kind: Kind, body: Mapping[str, Any]) -> Iterator[Fault]:
    """Things that are named and not kept."""
    named = list(things(kind, body))
    there = tx.get(tables.KEPT, [(number,) for _, number in named])
    yield from ((f"body.{name}", f"there is no {number}") for name, number in named if (number,) not in there)


def may(
    tx: Reading, who: Collection[str], subject: str, roles: Collection[str], requester: str, cis: Iterable[str]
) -> bool:
    """Whether a caller is one of ``who``. An admin has every role of a token, but is no other's requester or owner."""
    if NOT_REQUESTER in who and subject == requester:
        return False
    if "admin" in roles and any(one not in (NOT_REQUESTER, REQUESTER, OWNER, PRACTICE) for one in who):
        return True
    if any(role in who for role in roles) or (REQUESTER in who and subject == requester):
        return True
    return OWNER in who and subject in _owners(tx, cis)


def _owners(tx: Reading, cis: Iterable[str]) -> set[Any]:
    rows = tx.get(tables.CI, [(id_,) for id_ in set(resolve_all(tx, cis).values())])
    return {row[tables.CI.position("attributes")].get("owned_by") for row in rows.values()}
