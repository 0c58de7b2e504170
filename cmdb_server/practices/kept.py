"""What people keep of their work: opened, edited and moved from state to state, every version kept.

A kind's file tells its fields and states (``kind``); a practice adds guards and effects (``guards``). Each function
that takes a transaction is one version in it; those that take a store are a transaction of their own. Nothing of a
refused version is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cmdb_server.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from cmdb_server.model.instants import parse, rfc3339
from cmdb_server.practices import kept_check as check
from cmdb_server.practices.field import NOW
from cmdb_server.practices.guards import Attempt, ask, follow
from cmdb_server.practices.kept_rows import Kept, present, row_of, stored
from cmdb_server.practices.kind import EDIT, OPEN, Kind, Transition
from cmdb_server.practices.kind_files import kinds
from cmdb_server.store.port import Store, Writing
from cmdb_server.store.tables import KEPT, KEPT_CI, KEPT_COUNT, KEPT_LINK, KEPT_VERSION

__all__ = ["By", "Kept", "edit", "edited", "move", "moved", "open_", "opened"]

Cis = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, when (ms), and why. ``roles``: of the token; a job or a practice acts as ``practice``."""

    subject: str
    roles: Collection[str]
    now_ms: int
    note: str = ""


def open_(
    store: Store, kind: str, body: Mapping[str, Any], cis: Cis, by: By, known: Mapping[str, Kind] | None = None
) -> Kept:
    """Open a thing of a kind: ``body`` field -> value, ``cis`` role -> ids. Raises NotFound for an unknown kind, Invalid
    with the paths of what does not fit, Forbidden for whom the kind does not let open it."""
    return store.write(lambda tx: opened(tx, kind, body, cis, by, known))


def opened(
    tx: Writing, kind: str, body: Mapping[str, Any], cis: Cis, by: By, known: Mapping[str, Kind] | None = None
) -> Kept:
    """``open_`` within a transaction."""
    what = (known or kinds()).get(kind)
    if what is None:
        raise NotFound(f"nothing is kept as {kind!r}")
    whole = {name: value for name, value in (_defaults(what, by.now_ms) | dict(body)).items() if check.is_told(value)}
    made = Kept("", kind, what.initial, 1, by.subject, by.now_ms, by.now_ms, tx.revision, whole, _named(cis))
    _allow(tx, what.openers, made, by, f"open {what.name}")
    faults = [*check.body_faults(what, whole), *check.cis_faults(tx, what, made.cis)]
    faults += check.thing_faults(tx, what, whole)
    _refuse_any([*faults, *check.whole_faults(what, whole, made.cis, faults)])
    return _keep(tx, what, OPEN, None, replace(made, number=_number(tx, what)), by)


def edit(
    store: Store, number: str, version: int, changes: Mapping[str, Any], by: By, cis: Cis | None = None,
    known: Mapping[str, Kind] | None = None,
) -> Kept:  # fmt: skip
    """Change fields (None takes one away) and the CIs of the roles that are told. Raises PreconditionFailed when it is
    no longer at ``version``, Conflict in a state in which it is not edited, else as ``open_``."""
    return store.write(lambda tx: edited(tx, number, version, changes, by, cis, known))


def edited(
    tx: Writing, number: str, version: int, changes: Mapping[str, Any], by: By, cis: Cis | None = None,
    known: Mapping[str, Kind] | None = None,
) -> Kept:  # fmt: skip
    """``edit`` within a transaction."""
    before, what = _present(tx, number, version, known)
    if before.state not in what.editable:
        raise Conflict(f"{number} is {before.state}, in which it is not edited", state=before.state)
    _allow(tx, what.editors, before, by, f"edit {number}")
    after = _changed(tx, what, before, changes, cis or {}, (before.state,))
    if (after.body, after.cis) == (before.body, before.cis):
        return present(tx, [before])[0]
    return _keep(tx, what, EDIT, before, after, by)


def move(
    store: Store, number: str, transition: str, by: By, changes: Mapping[str, Any] | None = None,
    version: int | None = None, known: Mapping[str, Kind] | None = None,
) -> Kept:  # fmt: skip
    """Move a thing to another state, changing fields on the way. Raises Conflict, with the ``state`` and what is
    ``possible``, when the transition does not lead from here; Invalid with the paths of what it needs; Forbidden; and
    PreconditionFailed when it is no longer at ``version``, where one is given."""
    return store.write(lambda tx: moved(tx, number, transition, by, changes, version, known))


def moved(
    tx: Writing, number: str, transition: str, by: By, changes: Mapping[str, Any] | None = None,
    version: int | None = None, known: Mapping[str, Kind] | None = None,
) -> Kept:  # fmt: skip
    """``move`` within a transaction."""
    before, what = _present(tx, number, version, known)
    way = what.transition(transition, before.state, before.body)
    if way is None:
        raise _no_way(what, before, transition)
    _allow(tx, way.who, before, by, f"{transition} {number}")
    told = {**_stamps(what, way, dict(before.body) | dict(changes or {}), by.now_ms), **(changes or {})}
    after = _changed(tx, what, before, told, {}, (before.state, way.to))
    faults = [*check.missing((*way.requires, *way.stamps), after.body, after.cis)]
    if way.note and not by.note.strip():
        faults.append(("note", "is needed: say why"))
    _refuse_any(faults)
    if not way.leads(before.state, after.body):  # what changes on the way would have closed it
        raise _no_way(what, replace(before, body=after.body), transition)
    return _keep(tx, what, transition, before, replace(after, state=way.to), by)


def _stamps(what: Kind, way: Transition, body: Mapping[str, Any], now_ms: int) -> dict[str, str]:
    """The times that are now because nobody told them; none is before one that it follows, whichever server's clock
    that was told by."""
    times = dict.fromkeys((name for name in way.stamps if not check.is_told(body.get(name))), now_ms)
    for earlier, later in what.order:
        if later in times and check.is_told(body.get(earlier)) and not what.fields[earlier].faults(body[earlier], ""):
            times[later] = max(times[later], parse(body[earlier]))
    return {name: rfc3339(ms) for name, ms in times.items()}


def _present(tx: Writing, number: str, version: int | None, known: Mapping[str, Kind] | None) -> tuple[Kept, Kind]:
    before = stored(tx, number)
    what = (known or kinds()).get(before.kind)
    if what is None:
        raise NotFound(f"nothing is kept as {before.kind!r} any more")
    if version is not None and before.version != version:
        raise PreconditionFailed(f"{number} is at version {before.version}, not {version}")
    return before, what


def _no_way(what: Kind, before: Kept, transition: str) -> Exception:
    possible = what.possible(before.state, before.body)
    ways = ", ".join(possible) or "nothing more"
    if all(one.name != transition for one in what.transitions):
        return Invalid(
            f"transition: {what.title} knows no {transition!r}; possible now: {ways}",
            errors=[{"path": "transition", "message": f"unknown; possible now: {ways}"}],
        )
    return Conflict(
        f"{before.number} is {before.state}, from where {transition} does not lead; possible: {ways}",
        state=before.state, possible=list(possible),
    )  # fmt: skip


def _changed(
    tx: Writing, what: Kind, before: Kept, changes: Mapping[str, Any], cis: Cis, states: Collection[str]
) -> Kept:
    """The thing with these changes, none of which may be out of place."""
    now = present(tx, [before])[0].cis
    told = {role: ids for role, ids in _named(cis).items() if set(ids) != set(now.get(role, ()))}
    named = {role: ids for role, ids in {**before.cis, **told}.items() if ids}
    held = {id_ for given in (before.cis, now) for ids in given.values() for id_ in ids}
    faults = [*check.body_faults(what, changes), *check.cis_faults(tx, what, told, held)]
    faults += check.thing_faults(tx, what, changes)
    if not faults:
        moved_ = [name for name, value in changes.items() if value != before.body.get(name)]
        faults += check.frozen(moved_, what.fields, states)
    body = {name: value for name, value in (dict(before.body) | dict(changes)).items() if check.is_told(value)}
    _refuse_any([*faults, *check.whole_faults(what, body, named, faults)])
    return replace(before, body=body, cis=named)


def _refuse_any(faults: Sequence[tuple[str, str]]) -> None:
    if faults:
        raise check.invalid(faults)


def _allow(tx: Writing, who: Collection[str], thing: Kept, by: By, what: str) -> None:
    cis = [id_ for ids in thing.cis.values() for id_ in ids]
    if not check.may(tx, who, by.subject, by.roles, thing.subject, cis):
        raise Forbidden(f"{by.subject!r} may not {what}: that is for {', '.join(who)}")


def _keep(tx: Writing, what: Kind, transition: str, before: Kept | None, after: Kept, by: By) -> Kept:
    """Write a version, after all guards and before all effects; its CIs are kept as they were named."""
    if before is not None:
        after = replace(after, version=before.version + 1, changed_at=by.now_ms, revision=tx.revision)
    shown, *was = present(tx, [after, *([] if before is None else [before])])
    former = was[0] if was else None
    attempt = Attempt(tx, what, transition, former, shown, by.subject, frozenset(by.roles), by.note, by.now_ms)
    ask(attempt)
    tx.put(KEPT, [row_of(after)])
    tx.insert(KEPT_VERSION, [(
        after.number, after.version, tx.revision, by.now_ms, by.subject, transition, after.state, by.note,
        dict(after.body), _lists(after.cis),
    )])  # fmt: skip
    _name_cis(tx, before, after)
    _name_things(tx, what, before, after)
    follow(tx, attempt)
    return shown


def _name_cis(tx: Writing, before: Kept | None, after: Kept) -> None:
    old, new = (
        set() if thing is None else {(thing.number, role, id_) for role, ids in thing.cis.items() for id_ in ids}
        for thing in (before, after)
    )
    tx.delete(KEPT_CI, old - new)
    tx.insert(KEPT_CI, [(ci, after.kind, number, role) for number, role, ci in new - old])


def _name_things(tx: Writing, what: Kind, before: Kept | None, after: Kept) -> None:
    old, new = (
        set() if thing is None else {(thing.number, *named) for named in check.things(what, thing.body)}
        for thing in (before, after)
    )
    tx.delete(KEPT_LINK, old - new)
    tx.insert(KEPT_LINK, [(about, after.kind, number, name) for number, name, about in new - old])


def _number(tx: Writing, what: Kind) -> str:
    row = tx.get(KEPT_COUNT, [(what.prefix,)]).get((what.prefix,))
    last = 1 if row is None else row[1] + 1
    tx.put(KEPT_COUNT, [(what.prefix, last)])
    return numbered(what.prefix, last)


def numbered(prefix: str, count: int) -> str:
    """The number that is given as the ``count``-th of a prefix."""
    return f"{prefix}{count:07}"


def _defaults(what: Kind, now_ms: int) -> dict[str, Any]:
    told = {one.name: one.default for one in what.fields.values() if one.default is not None}
    times = [name for name in told if what.fields[name].type == "time" and told[name] == NOW]
    return told | dict.fromkeys(times, rfc3339(now_ms))


def _named(cis: Cis) -> dict[str, tuple[str, ...]]:
    return {role: tuple(dict.fromkeys(ids)) for role, ids in cis.items()}


def _lists(cis: Cis) -> dict[str, list[str]]:
    return {role: list(ids) for role, ids in cis.items()}
