"""Who is who: the things whose evidence or presence changed are decided again, together with all they may be one with.

The search for these goes over the inverted index, so its cost follows the component and not the estate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cmdb_server.ingest import tasks, tenure
from cmdb_server.ingest.apply import PRESENCE
from cmdb_server.ingest.batch import Batch, Held
from cmdb_server.ingest.courses import Course
from cmdb_server.ingest.entries import record
from cmdb_server.ingest.ruling import ruled
from cmdb_server.ingest.search import Search, doubt
from cmdb_server.model import identity
from cmdb_server.model.attachment import Bearers, apart_from, at_place, beyond, by_age, declared_as, nameless, owner
from cmdb_server.model.decisions import Decision
from cmdb_server.model.record import Record, Value
from cmdb_server.store import tables


def recluster(batch: Batch) -> None:
    """Decide again who ``batch.seeds`` are, and place every record in its CI."""
    if not batch.seeds:
        return
    told = ruled(batch)
    decided: dict[str, identity.Resolution] = {}
    held_by: dict[str, Course] = {}
    waiting = set(batch.seeds)
    while waiting:
        search = Search(batch, told)
        found = search.components(sorted(waiting))
        waiting = set()
        for component in found:
            resolution = _resolve(batch, component, told.decisions, frozenset(search.void))
            weak = {
                held.id: where for held in component if held.id in resolution.weak and (where := _place(batch, held))
            }
            if fresh := doubt(batch, component, weak, search.doubtful):
                waiting |= fresh  # its place joins it with others now
                continue
            ci_of = _attached(resolution, told.decisions)
            for held in component:
                batch.place(held, ci_of[held.id])
            _contest(batch, component, resolution, ci_of)
            held_by |= tenure.courses_of(resolution, ci_of, told.decisions, search.doubtful)
            decided |= {held.id: resolution for held in component}
    tasks.follow(batch, decided, {id(resolution): resolution for resolution in decided.values()}.values())
    tenure.follow(batch, held_by)
    _place_components(batch)
    _loosen(batch)


def _place(batch: Batch, held: Held) -> str | None:
    where = identity.place(record(batch, held, ((held.first_at, held.first_at),)))
    return where[1] if where is not None else None


def _resolve(
    batch: Batch, component: Sequence[Held], decisions: Sequence[Decision], void: frozenset[Value]
) -> identity.Resolution:
    runs = _intervals(batch, component) if len(component) > 1 else {}
    views = [record(batch, held, runs.get(held.id, ((held.first_at, held.first_at),))) for held in component]
    return identity.resolve(views, decisions, void=void)


# Records that prove nothing --------------------------------------------------------------------------------------------


def _attached(resolution: identity.Resolution, decisions: Sequence[Decision]) -> dict[str, str]:
    """record -> CI, where records that prove nothing go with whoever proved their place, or bore their name. They have
    no say in the ids of others; what is left of them has the id of its own first record."""
    views = resolution.records
    splits = [decision.sides for decision in decisions if decision.verb == "split"]
    merged = {id_ for d in decisions if d.verb == "merge" for side in d.sides for id_ in side}
    ci_of = dict(resolution.ci_of)
    proofs = [views[id_] for id_ in views.keys() - resolution.weak]
    for group in resolution.groups:
        if resolution.weak.isdisjoint(group) or not resolution.weak.issuperset(group):
            continue
        told = [views[id_] for id_ in group]
        homes = {view.id: _home(view, proofs, splits) for view in told if not view.declared}
        if not merged.isdisjoint(group):  # what people tied together stays so
            first = next((found for found in homes.values() if found is not None), None)
            homes = dict.fromkeys(group, first) if first is not None else {}
        owned = {id_: resolution.ci_of[found] for id_, found in homes.items() if found is not None}
        left = [id_ for id_ in group if id_ not in owned]
        ci_of |= owned | dict.fromkeys(left, left[0] if left else "")
    decided = merged.union(id_ for sides in splits for side in sides for id_ in side)
    ci_of |= nameless(views[id_] for id_ in resolution.weak if ci_of[id_] == id_ and id_ not in decided)
    declared = by_age(_declared(resolution))
    bearers = Bearers(views.values() if declared else ())
    for thing in declared:
        ids = {one.id for one in thing}
        if merged.isdisjoint(ids):
            found = declared_as(thing, bearers, apart_from(ids, splits))
            ci_of |= dict.fromkeys(ids, ci_of[found]) if found is not None else {}
    return ci_of


def _declared(resolution: identity.Resolution) -> Iterator[list[Record]]:
    """The things that people told of and nobody was observed to be."""
    for group in resolution.groups:
        told = [resolution.records[id_] for id_ in group]
        if all(view.declared for view in told):
            yield told


def _home(view: Record, proofs: Sequence[Record], splits: Sequence[Sequence[Sequence[str]]]) -> str | None:
    there = at_place(view, proofs)
    return owner(view, beyond(view, there, splits), view.last_at) if there else None


# What further sightings may change -------------------------------------------------------------------------------------


def _contest(
    batch: Batch, component: Sequence[Held], resolution: identity.Resolution, ci_of: Mapping[str, str]
) -> None:
    """Have records looked at again at their next sighting where that alone may change the outcome: two that disagree
    would have been seen at once, what was replaced would be there still, another version of a key or another at a place
    would be the last one seen."""
    if len(component) < 2:
        return
    open_ = {held.id for held in component if held.ended_at is None}
    views = list(resolution.records.values())
    newest = max(first for view in views for first, _ in view.intervals)
    waiting = [a for a in views if a.id in open_ and a.intervals[-1][1] < newest]
    disputed = {a.id for a in waiting if any(_may_yet_meet(a, b) for b in views)}
    replaced = {review.cis[1] for review in resolution.replacements}
    disputed |= {id_ for id_ in open_ if resolution.ci_of[id_] in replaced}
    keyed: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for view in views:
        if view.native_key is not None:
            keyed[(view.source, view.native_key)].append(view.id)
    for versions in keyed.values():
        if len(versions) > 1:
            disputed |= open_.intersection(versions)
    proofs = [view for view in views if view.id not in resolution.weak]
    for view in (resolution.records[id_] for id_ in resolution.weak):
        there = at_place(view, proofs)
        if len({ci_of[p.id] for p in there}) > 1:
            disputed |= open_.intersection((view.id, *(p.id for p in there)))
    for held in component:
        if held.id in disputed:
            batch.contest(held)


def _may_yet_meet(a: Record, b: Record) -> bool:
    """Whether ``a``, seen once more, would have been there together with ``b``, from whom it differs."""
    last = a.intervals[-1][1]
    if not any(first > last for first, _ in b.intervals):
        return False
    told = a.identifiers
    return any(kind in told and set(values).isdisjoint(told[kind]) for kind, values in b.identifiers.items())


# Presence --------------------------------------------------------------------------------------------------------------


def _intervals(batch: Batch, component: Sequence[Held]) -> dict[str, tuple[tuple[int, int], ...]]:
    """record -> its runs of sightings, from its presence and, for the one still open, from its lane."""
    batch.load_lanes(component)
    events: dict[str, dict[int, tuple[int, object]]] = {held.id: {} for held in component}
    rows = batch.tx.find(tables.FACT, ("record", "attribute"), [(held.id, PRESENCE) for held in component])
    for row in (*rows, *batch.said(events, PRESENCE)):
        known = events[row[0]].get(row[2])
        if known is None or known[0] <= row[3]:
            events[row[0]][row[2]] = (row[3], row[4])
    return {held.id: tuple(_runs(batch, held, events[held.id])) for held in component}


def _runs(batch: Batch, held: Held, events: dict[int, tuple[int, object]]) -> Iterable[tuple[int, int]]:
    start: int | None = None
    for at in sorted(events):
        value = events[at][1]
        if isinstance(value, list):
            if start is not None:
                yield (start, max(start, value[1]))
            start = None
        elif start is None:
            start = at
    if start is not None:
        yield (start, max(start, batch.seen_last(held)))


# Components ------------------------------------------------------------------------------------------------------------


def _place_components(batch: Batch) -> None:
    tops = {batch.records[id_].ci for id_ in (*batch.seeds, *batch.moved)}
    tops |= set(batch.moved.values())  # what is left behind may be named after another now
    tops |= {held.ci for held in (batch.records[r[0]] for r in batch.members) if not held.parent}
    place_components(batch, tops)


def place_components(batch: Batch, cis: Iterable[str]) -> None:
    """Components of these CIs are one CI when their parents are one, and class and local key are equal: level by level."""
    members = batch.of_cis(cis)
    level: dict[str, list[Held]] = {ci: held for ci, held in members.items() if held}
    while level:
        below: dict[str, list[Held]] = {}
        children = batch.components([held.id for some in level.values() for held in some])
        for ci, some in level.items():
            groups: dict[tuple[str, str], list[Held]] = {}
            for held in some:
                for child in children.get(held.id, ()):
                    groups.setdefault((child.class_, child.local_key), []).append(child)
            for group in groups.values():
                first = min((child.first_at, child.id) for child in group)[1]
                for child in group:
                    batch.place(child, first)
                    if child.parent in batch.moved:
                        batch.stale_cis.add(first)
                below.setdefault(first, []).extend(group)
            if not some:
                below.pop(ci, None)
        level = below


def _loosen(batch: Batch) -> None:
    """The claims of records that changed hands look for their ends again, and so do those that end at CIs which lost
    or gained records: what listens there may be another now."""
    for row in batch.tx.find(tables.TIE, ("record",), [(id_,) for id_ in batch.moved]):
        batch.stale_ties.add((row[0], row[1]))
    cis = set(batch.moved.values()) | {ci for record, _, ci in batch.members if ci != record}
    for column in ("to_ci", "from_ci"):
        for row in batch.tx.find(tables.TIE, (column,), [(ci,) for ci in cis]):
            batch.stale_ties.add((row[0], row[1]))
