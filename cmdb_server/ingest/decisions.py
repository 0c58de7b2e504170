"""What people decide: logged, applied to what it touches and to nothing else, and undone by another decision."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cmdb_schemas.attribute import canonical, check_value
from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.errors import Conflict, Invalid, NotFound
from cmdb_server.ingest import ruling
from cmdb_server.ingest.batch import Batch
from cmdb_server.ingest.pipeline import settle
from cmdb_server.ingest.rehearsal import CiChange, Watched, ci_changes
from cmdb_server.ingest.ruling import TOMBSTONE, UNDO, D
from cmdb_server.ingest.sighting import Kinds
from cmdb_server.model.normalise import normalise
from cmdb_server.model.replacements import ATTRIBUTE as REPLACES
from cmdb_server.model.weighing import shipped
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store, Writing
from cmdb_server.store.rollback import rolled_back
from cmdb_server.store.tables import picker

Body = Mapping[str, Any]
REVIEW, DISTRUSTED = "review", "distrusted"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a decision changes. ``moved``: record -> (the CI it leaves, the CI it comes to). ``changed``: CIs whose
    words change or that come to be. ``gone``: CIs that are no more. ``cis``: what becomes of each of these. ``told_by``:
    record that is moved -> (source, target, class)."""

    moved: Mapping[str, tuple[str, str]]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    cis: tuple[CiChange, ...] = ()
    told_by: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)


def decide(
    store: Store, subject: str, verb: str, body: Body, reason: str, now_ms: int, *, kinds: Kinds | None = None,
    check: Callable[[Reading], object] = lambda _: None,
) -> str:  # fmt: skip
    """Decide, and give the decision's id. ``subject``: who. ``check`` may refuse what it is decided of by raising.
    ``body`` by ``verb``:

    - ``merge``, ``split``: ``sides``, two or more lists of record ids (a CI's id is one of its records');
    - ``distrust``: ``value``, [kind, value];
    - ``pin``: ``sides`` [[record]], ``attribute`` and ``pinned``, its value;
    - ``tombstone``: ``sides`` [[record]], and ``hold_back`` to hide it until this is undone.

    Raises Invalid by path, NotFound for a record that is not there.
    """
    row = _row(verb, body, subject, reason, now_ms)

    def work(tx: Writing) -> None:
        check(tx)
        _enter(tx, row, now_ms, kinds)

    store.write(work)
    return str(row[D["id"]])


def undo(store: Store, subject: str, decision: str, reason: str, now_ms: int, *, kinds: Kinds | None = None) -> str:
    """Take a decision back, an undoing included, and give the id of the undoing. Raises NotFound, and Conflict when it
    is undone already."""
    row: Row = (str(uuid.uuid4()), 0, UNDO, {}, subject, now_ms, reason, decision)
    store.write(lambda tx: _enter(tx, row, now_ms, kinds))
    return str(row[D["id"]])


def answer(
    store: Store, subject: str, task: str, reason: str, now_ms: int, *, accept: bool, kinds: Kinds | None = None
) -> str:
    """Answer an open task, and give the decision's id: a review is a merge or a split, a replacement is pinned or the
    two are split, a distrusted value is distrusted for good. Raises NotFound, Conflict when the task is not open, Invalid where there is nothing to refuse."""
    found = store.read(lambda tx: tx.get(tables.TASK, [(task,)])).get((task,))
    if found is None:
        raise NotFound(f"no task {task!r}")
    if found[4] != "open":
        raise Conflict(f"task {task} is {found[4]}")
    verb, body = verdict(found, accept=accept)
    return decide(store, subject, verb, body, reason, now_ms, kinds=kinds)


def verdict(task: Row, *, accept: bool) -> tuple[str, dict[str, Any]]:
    """(verb, body) of the decision that answers a task."""
    kind, subject = task[1], task[2]
    if kind == REVIEW:
        return ("merge" if accept else "split"), {"sides": [[record] for record in subject["records"]]}
    if kind == REPLACES:
        new, old = subject["records"]
        pin = {"sides": [[new]], "attribute": REPLACES, "pinned": old}
        return ("pin", pin) if accept else ("split", {"sides": [[new], [old]]})
    if kind == DISTRUSTED and accept:
        return "distrust", {"value": subject["value"]}
    raise _invalid("accept", f"a task of the kind {kind} cannot be {'accepted' if accept else 'refused'}")


def effect(store: Store, verb: str, body: Body, now_ms: int, kinds: Kinds | None = None) -> Effect:
    """What a decision would change, had it been made now: it is applied and rolled back. Raises what ``decide`` does."""
    row = _row(verb, body, "", "", now_ms)

    def work(tx: Writing) -> Effect:
        watched = Watched(tx)
        batch = _enter(watched, row, now_ms, kinds)
        feed = [(id_, gone) for (kind, id_), gone in batch.feed.items() if kind == "ci"]
        return Effect(
            {id_: (former, batch.records[id_].ci) for id_, former in sorted(batch.moved.items())},
            tuple(sorted(id_ for id_, gone in feed if not gone)), tuple(sorted(id_ for id_, gone in feed if gone)),
            tuple(one for one in ci_changes(tx, watched, every=True) if ("ci", one.id) in batch.feed),
            {id_: _teller(row) for (id_,), row in tx.get(tables.RECORD, [(id_,) for id_ in batch.moved]).items()},
        )  # fmt: skip

    return rolled_back(store, work)


def _teller(record: Row) -> tuple[str, str, str]:
    """(source, target, class) of a record."""
    source, target, class_ = picker(tables.RECORD, ("source", "target", "class"))(record)
    return source, target.partition("\x00")[0], class_


# Applying --------------------------------------------------------------------------------------------------------------


def _row(verb: str, body: Body, subject: str, reason: str, now_ms: int) -> Row:
    return (str(uuid.uuid4()), 0, verb, checked(verb, body), subject, now_ms, reason, None)


def _enter(tx: Writing, row: Row, now_ms: int, kinds: Kinds | None) -> Batch:
    """Log a decision in this transaction and resolve again what it touches."""
    batch = Batch(tx, kinds or classes(), dict(relation_types()), now_ms)
    touched = _undone(tx, row) if row[D["verb"]] == UNDO else row
    verb, body = touched[D["verb"]], touched[D["body"]]
    records = [id_ for side in body.get("sides", ()) for id_ in side]
    _known(batch, records)
    if verb == "pin":
        told = {**body, "pinned": _pinned(batch, records[0], body)}
        row = (*row[: D["body"]], told, *row[D["body"] + 1 :]) if row is touched else row
    tx.insert(tables.DECISION, [(row[0], tx.revision, *row[2:])])
    _touch(batch, verb, body, records)
    settle(batch)
    return batch


def _undone(tx: Writing, row: Row) -> Row:
    """The decision that is undone in the end: undoing an undoing touches what was undone."""
    rows = {told[0]: told for told in ruling.rows(tx)}
    wanted = row[D["undoes"]]
    if wanted not in rows:
        raise NotFound(f"no decision {wanted!r}")
    if wanted not in {told[0] for told in ruling.in_effect(rows.values())}:
        raise Conflict(f"decision {wanted} is undone already")
    found = rows[wanted]
    while found[D["verb"]] == UNDO:
        found = rows[found[D["undoes"]]]
    return found


def _known(batch: Batch, records: Iterable[str]) -> None:
    wanted = list(records)
    batch.load(wanted)
    for id_ in wanted:
        if id_ not in batch.records:
            raise NotFound(f"no record {id_!r}")


def _touch(batch: Batch, verb: str, body: Body, records: Iterable[str]) -> None:
    if verb == "distrust":
        rows = batch.tx.find(tables.IDENTIFIER, ("kind", "value"), [(body["value"][0], body["value"][1])])
        batch.load(row[2] for row in rows)
        batch.seeds.update(row[2] for row in rows if row[2] in batch.records)
        return
    for id_ in records:
        held = batch.records[id_]
        if verb in ("merge", "split"):
            if held.parent:
                raise _invalid("sides", f"{id_} depends on another: merge or split what it depends on")
            batch.seeds.add(id_)
        if body.get("attribute") == REPLACES and not held.parent:
            batch.seeds.add(id_)  # which answers a task
        members = batch.of_cis([held.ci])[held.ci]
        batch.stale_cis.add(held.ci)
        batch.stale_cis.update(below.ci for member in members for below in batch.descendants(member.id))


# Checking --------------------------------------------------------------------------------------------------------------


def checked(verb: str, body: Body) -> dict[str, Any]:
    """A decision's body as it is kept. Raises Invalid by path."""
    if verb in ("merge", "split"):
        sides = _sides(body)
        if len(sides) < 2 or len({id_ for side in sides for id_ in side}) != sum(map(len, sides)):
            raise _invalid("sides", "two or more lists that share no record")
        return {"sides": sides}
    if verb == "distrust":
        return {"value": _value(body)}
    if verb in ("pin", TOMBSTONE):
        sides = _sides(body)
        if len(sides) != 1 or len(sides[0]) != 1:
            raise _invalid("sides", "one list of one record")
        if verb == TOMBSTONE:
            return {"sides": sides, "hold_back": bool(body.get("hold_back"))}
        return {"sides": sides, "attribute": body.get("attribute"), "pinned": body.get("pinned")}
    raise _invalid("verb", f"{verb!r} is none of merge, split, distrust, pin, tombstone")


def _sides(body: Body) -> list[list[str]]:
    sides = body.get("sides")
    if not isinstance(sides, list) or not all(
        isinstance(side, list) and side and all(isinstance(id_, str) for id_ in side) for side in sides
    ):
        raise _invalid("sides", "lists of record ids")
    return [list(side) for side in sides]


def _value(body: Body) -> list[str]:
    told = body.get("value")
    if not isinstance(told, list) or len(told) != 2 or not all(isinstance(word, str) and word for word in told):
        raise _invalid("value", "a kind of identifier and a value")
    kind, value = told
    known = shipped().known
    if kind not in known:
        raise _invalid("value", f"{kind!r} is no kind of identifier; known are {', '.join(sorted(known))}")
    return [kind, next(iter(normalise({kind: [value]}).get(kind, ())), value)]


def _pinned(batch: Batch, record: str, body: Body) -> Any:
    """The value as the attribute has it. Raises Invalid where it does not fit."""
    class_ = batch.kinds[batch.records[record].class_]
    attribute = class_.attribute(str(body["attribute"]))
    if attribute is None:
        raise _invalid("attribute", f"{class_.title} has no attribute {body['attribute']!r}")
    if (problem := check_value(attribute, body["pinned"])) is not None:
        raise _invalid("pinned", problem)
    return canonical(attribute, body["pinned"])


def _invalid(path: str, message: str) -> Invalid:
    return Invalid(f"{path}: {message}", errors=[{"path": path, "message": message}])
