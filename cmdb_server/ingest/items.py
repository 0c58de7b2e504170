"""The rows of CIs, from the records each is made of: class, name, winning values, whether any source still claims it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cmdb_server.ingest import deadlines
from cmdb_server.ingest.batch import Batch, Held
from cmdb_server.ingest.ruling import hidden, pinned
from cmdb_server.ingest.sighting import Kinds
from cmdb_server.model.precedence import Candidate, shipped, winner
from cmdb_server.store import tables
from cmdb_server.store.port import Row

NAMES = ("name", "fqdn", "label", "hostname")


def build(batch: Batch) -> set[str]:
    """Write the rows of ``batch.stale_cis``. Gives the CIs that are no more, whose relations must go first."""
    stale = batch.stale_cis - {""}
    members = batch.of_cis(stale)
    for held in [held for some in members.values() for held in some if held.ended_at is not None and not held.parent]:
        stale.update(below.ci for below in batch.descendants(held.id))
    members = batch.of_cis(stale)
    batch.load({held.parent for some in members.values() for held in some if held.parent})
    known = batch.tx.get(tables.CI, [(ci,) for ci in stale])
    rows, gone = [], set()
    due: dict[str, int] = {}
    for ci in sorted(stale):
        old = known.get((ci,))
        if not members[ci]:
            if old is not None:
                gone.add(ci)
                batch.changed("ci", ci, deleted=True)
            continue
        row = _row(batch, ci, members[ci], due)
        if old is None or not _same(old, row):
            rows.append(row)
            batch.changed("ci", ci)
    batch.tx.put(tables.CI, rows)
    deadlines.keep(batch, due)
    _contain(batch, rows, known)
    return gone


REVISION = tables.CI.position("revision")


def _same(old: Row, new: Row) -> bool:
    return (*old[:REVISION], *old[REVISION + 1 :]) == (*new[:REVISION], *new[REVISION + 1 :])


def _row(batch: Batch, ci: str, members: list[Held], due: dict[str, int]) -> Row:
    class_ = _class(batch, members)
    attributes = dict(sorted((_values(batch, members, due) | pinned(batch, members)).items()))
    name = _name(attributes, members)
    parent = _parent(batch, members)
    deleted = hidden(batch, members)
    return (
        ci, class_, name, parent, min(held.first_at for held in members), attributes, batch.tx.revision,
        deleted if deleted is not None else _ended(batch, members), int(deleted is not None),
    )  # fmt: skip


def _class(batch: Batch, members: list[Held]) -> str:
    """The most specific class told by a record that counts: classes refine in place. What is there outvotes what is
    gone, and among equals the name decides."""
    if len(members) == 1:
        return members[0].class_
    present = [held for held in members if held.ended_at is None] or members
    return min({held.class_ for held in present}, key=lambda name: (-len(batch.kinds[name].ancestors), name))


def _values(batch: Batch, members: list[Held], due: dict[str, int]) -> dict[str, Any]:
    """The winning value of each attribute. ``due``: CI -> when the first of them goes stale."""
    if len(members) == 1:
        return {name: entry[0] for name, entry in sorted(members[0].attributes.items())}
    told: dict[str, list[tuple[Held, list[Any]]]] = {}
    for held in members:
        for name, entry in held.attributes.items():
            told.setdefault(name, []).append((held, entry))
    class_ = batch.kinds[_class(batch, members)]
    lineage = (class_.name, *class_.ancestors)
    return {name: _winner(batch, name, told[name], lineage, due) for name in sorted(told)}


def _winner(
    batch: Batch, name: str, told: list[tuple[Held, list[Any]]], lineage: tuple[str, ...], due: dict[str, int]
) -> Any:
    """The value that counts. Where sources disagree, whose word is the newest depends on when each speaks again."""
    first = told[0][1][0]
    if all(entry[0] == first and type(entry[0]) is type(first) for _, entry in told):
        return first
    for held, _ in told:
        batch.contest(batch.top(held))
    candidates = [candidate(batch, held, entry) for held, entry in told if held.ended_at is None]
    candidates = candidates or [candidate(batch, held, entry) for held, entry in told]
    now = max(batch.now, *(one.confirmed_at for one in candidates))
    verdict = winner(candidates, shipped(), now, lineage=lineage, attribute=name)
    if verdict.deadline is not None:
        ci = told[0][0].ci
        due[ci] = min(verdict.deadline, due.get(ci, verdict.deadline))
    return verdict.value


def candidate(batch: Batch, held: Held, entry: list[Any]) -> Candidate:
    """One record's word on one attribute."""
    confirmed = entry[2] if entry[2] is not None else batch.seen_last(held)
    return Candidate(held.source, held.id, entry[0], entry[1], confirmed)


def _name(attributes: dict[str, Any], members: list[Held]) -> str:
    for attribute in NAMES:
        if isinstance(value := attributes.get(attribute), str) and value:
            return value
    first = min(members, key=lambda held: (held.ended_at is not None, held.first_at, held.id))
    names = first.identifiers.get("fqdn") or first.identifiers.get("name")
    if names:
        return names[0]
    return first.local_key if first.parent else first.native_key or first.target


def _parent(batch: Batch, members: list[Held]) -> str:
    first = members[0]
    return batch.records[first.parent].ci if first.parent else ""


def _ended(batch: Batch, members: Iterable[Held]) -> int | None:
    """None while any record is still there; a component is only where its parent is."""
    latest = 0
    for held in members:
        ends = [held.ended_at]
        above = held
        while above.parent:
            batch.load((above.parent,))
            above = batch.records[above.parent]
            ends.append(above.ended_at)
        known = [at for at in ends if at is not None]
        if not known:
            return None
        latest = max(latest, min(known))
    return latest


def _contain(batch: Batch, rows: Iterable[Row], known: dict[Any, Row]) -> None:
    """The relation that a component's class says it has with its parent."""
    parent_at, class_at, first_at = (tables.CI.position(name) for name in ("parent", "class", "first_at"))
    relations, former = [], []
    for row in rows:
        old = known.get((row[0],))
        if old is not None and old[parent_at] and (old[parent_at], old[class_at]) != (row[parent_at], row[class_at]):
            former.append(contained(batch, old[0], old[parent_at], old[class_at]))
        said = [(one[parent_at], one[class_at], one[first_at]) for one in (old, row) if one is not None]
        if row[parent_at] and (len(said) == 1 or said[0] != said[1]):
            ends = contained(batch, row[0], row[parent_at], row[class_at])
            if ends is not None:
                relations.append((*ends, None, 1, 1.0, row[first_at], 0, batch.tx.revision))
                batch.changed("relation", " ".join(ends))
    gone = [ends for ends in former if ends is not None]
    for ends in gone:
        batch.changed("relation", " ".join(ends), deleted=True)
    batch.tx.delete(tables.RELATION, gone)
    batch.contained += relations


def contained(batch: Batch, ci: str, parent: str, class_: str) -> tuple[str, str, str] | None:
    """(from, type, to) of the relation between a component and its parent."""
    return contained_by(batch.kinds, ci, parent, class_)


def contained_by(kinds: Kinds, ci: str, parent: str, class_: str) -> tuple[str, str, str] | None:
    """The same, given the classes."""
    containment = kinds[class_].containment
    if containment is None:
        return None
    ends = (ci, parent) if containment.component == "from" else (parent, ci)
    return (ends[0], containment.relation, ends[1])
