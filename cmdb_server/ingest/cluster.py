"""Who is who: the things whose evidence or presence changed are decided again, together with all they may be one with.

The search for these goes over the inverted index, so its cost follows the component and not the estate.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence

from cmdb_server.ingest.apply import PRESENCE
from cmdb_server.ingest.batch import Batch, Held
from cmdb_server.ingest.entries import record
from cmdb_server.model import identity
from cmdb_server.model.attachment import declared_as, owner
from cmdb_server.model.components import PLACE
from cmdb_server.model.decisions import Decision, in_force
from cmdb_server.model.record import Record, Value
from cmdb_server.model.weighing import shipped
from cmdb_server.store import tables

STRONG = frozenset(shipped().strong)
TASK_SPACE = uuid.UUID("3b0a4f0e-6a43-5d0c-9f52-0d1f6ed1c0aa")


def recluster(batch: Batch) -> None:
    """Decide again who ``batch.seeds`` are, and place every record in its CI."""
    if not batch.seeds:
        return
    ruled = _decisions(batch)
    search = _Search(batch, ruled)
    waiting = sorted(batch.seeds)
    done: set[str] = set()
    for component in search.components(waiting, done):
        _decide(batch, component, ruled, search.void)
    _place_components(batch)
    _loosen(batch)


def _decisions(batch: Batch) -> tuple[Decision, ...]:
    rows = batch.tx.scan(tables.DECISION, None, 1_000_000)
    undone = frozenset(row[7] for row in rows if row[7])
    told = [
        Decision(
            id=row[0], verb=row[2], at=row[5], sides=tuple(tuple(side) for side in row[3].get("sides", ())),
            value=tuple(row[3]["value"]) if row[3].get("value") else None, attribute=row[3].get("attribute", ""),
            pinned=row[3].get("pinned"),
        )
        for row in rows
        if row[2] in ("merge", "split", "distrust", "pin")
    ]  # fmt: skip
    return in_force(told, undone)


class _Search:
    """Breadth-first search over the index, all seeds at once. ``void``: values found to identify nothing."""

    def __init__(self, batch: Batch, ruled: Sequence[Decision]) -> None:
        self.batch, self.void = batch, frozenset[Value]()
        self.anchored: defaultdict[str, set[str]] = defaultdict(set)
        for decision in ruled:
            if decision.verb in ("merge", "split"):
                named = {id_ for side in decision.sides for id_ in side}
                for id_ in named:
                    self.anchored[id_] |= named

    def components(self, seeds: Iterable[str], done: set[str]) -> Iterable[list[Held]]:
        """The components of the seeds, each once."""
        home: dict[str, str] = {}
        frontier = [id_ for id_ in seeds if id_ not in done]
        self.batch.load(frontier)
        for id_ in frontier:
            home[id_] = id_
        met: set[Value] = set()
        holders: dict[Value, list[str]] = {}
        while frontier:
            keys = {id_: self._keys(self.batch.records[id_]) for id_ in frontier}
            fresh = {key for found in keys.values() for key in found} - met
            met |= fresh
            for row in self.batch.tx.find(tables.IDENTIFIER, ("kind", "value"), fresh):
                holders.setdefault((row[0], row[1]), []).append(row[2])
            shared = [key for key in fresh if len(holders.get(key, ())) > 1]
            self.batch.load({id_ for key in shared for id_ in holders[key]})
            self._void(shared, holders)
            before = set(home)
            for id_, found in keys.items():
                for key in found:
                    if key not in self.void and (key[0] != PLACE or self._proves_nothing(holders.get(key, ()))):
                        self._join(home, (id_, *holders.get(key, ())))
                self._join(home, (id_, *self.anchored.get(id_, ())))
            frontier = [id_ for id_ in home if id_ not in before]
            self.batch.load(frontier)
        groups: defaultdict[str, list[Held]] = defaultdict(list)
        for id_ in home:
            if id_ in self.batch.records:
                groups[_root(home, id_)].append(self.batch.records[id_])
        done.update(home)
        return groups.values()

    def _keys(self, held: Held) -> list[Value]:
        view = record(self.batch, held, ((held.first_at, held.first_at),))
        keys = list(identity.link_keys(view))
        if (where := identity.place(view)) is not None:
            keys.append(where)
        return keys

    def _proves_nothing(self, ids: Iterable[str]) -> bool:
        """Whether one of these records has nothing but its place to go by: only then does a place join."""
        return any(STRONG.isdisjoint(self.batch.records[id_].identifiers) for id_ in ids if id_ in self.batch.records)

    def _void(self, shared: Iterable[Value], holders: dict[Value, list[str]]) -> None:
        for key in shared:
            if key[0] == PLACE:
                continue
            held = [self.batch.records[id_] for id_ in holders[key]]
            if identity.voids(key[0], [record(self.batch, h, ((h.first_at, h.first_at),)) for h in held]):
                self.void |= {key}

    def _join(self, home: dict[str, str], ids: Sequence[str]) -> None:
        for id_ in ids:
            home.setdefault(id_, id_)
        root = _root(home, ids[0])
        for id_ in ids[1:]:
            other = _root(home, id_)
            if other != root:
                home[max(root, other)] = min(root, other)
                root = min(root, other)


def _root(home: dict[str, str], id_: str) -> str:
    while home[id_] != id_:
        home[id_] = home[home[id_]]
        id_ = home[id_]
    return id_


def _decide(batch: Batch, component: list[Held], ruled: Sequence[Decision], void: frozenset[Value]) -> None:
    if len(component) == 1 and not ruled:
        batch.place(component[0], component[0].id)
        return
    runs = _intervals(batch, component)
    views = [record(batch, held, runs[held.id]) for held in component]
    resolution = identity.resolve(views, ruled, void=void)
    ci_of = dict(resolution.ci_of)
    _attach(views, resolution, ci_of)
    earliest: dict[str, tuple[int, str]] = {}
    for view in views:
        told = (view.first_at, view.id)
        earliest[ci_of[view.id]] = min(earliest.get(ci_of[view.id], told), told)
    for held in component:
        batch.place(held, earliest[ci_of[held.id]][1])
    _tasks(batch, resolution)
    if _contested(views, resolution):
        for held in component:
            batch.contest(held)


def _attach(views: Sequence[Record], resolution: identity.Resolution, ci_of: dict[str, str]) -> None:
    """Records that prove nothing go with whoever proved their place, or bore their name."""
    proofs = [view for view in views if view.id not in resolution.weak]
    for view in views:
        if view.id not in resolution.weak:
            continue
        if view.declared:
            found = declared_as(view, views)
        else:
            there = [p for p in proofs if (p.site, p.address) == (view.site, view.address)]
            found = owner(view, there, view.last_at) if view.address else None
        if found is not None:
            ci_of[view.id] = resolution.ci_of[found]


def _contested(views: Sequence[Record], resolution: identity.Resolution) -> bool:
    """Whether later sightings alone may change the outcome: some evidence disagrees, or a place changed hands."""
    if resolution.weak or resolution.distrusted or len(resolution.groups) > 1:
        return len(views) > 1
    told: dict[str, tuple[str, ...]] = {}
    return any(told.setdefault(kind, values) != values for view in views for kind, values in view.identifiers.items())


def _intervals(batch: Batch, component: Sequence[Held]) -> dict[str, tuple[tuple[int, int], ...]]:
    """record -> its runs of sightings, from its presence and, for the one still open, from its lane."""
    batch.load_lanes(component)
    events: dict[str, dict[int, tuple[int, object]]] = {held.id: {} for held in component}
    rows = batch.tx.find(tables.FACT, ("record", "attribute"), [(held.id, PRESENCE) for held in component])
    said = [row for (record, attribute, _), row in batch.facts.items() if attribute == PRESENCE and record in events]
    for row in (*rows, *said):
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


def _tasks(batch: Batch, resolution: identity.Resolution) -> None:
    """What a person should look at. A task has the id of what it is about, so it is opened once."""
    rows = []
    for review in resolution.reviews:
        subject = {
            "cis": list(review.cis), "records": list(review.records), "score": review.score, "kind": review.kind,
        }  # fmt: skip
        rows.append((_task_id("review", *review.records), "review", subject, batch.tx.revision, "open"))
    for found in resolution.distrusted:
        subject = {"value": list(found.value), "records": list(found.records), "why": found.why}
        rows.append((_task_id("distrusted", *found.value), "distrusted", subject, batch.tx.revision, "open"))
    if rows:
        batch.tx.insert(tables.TASK, rows)


def _task_id(*parts: str) -> str:
    return str(uuid.uuid5(TASK_SPACE, "\x00".join(parts)))


def _place_components(batch: Batch) -> None:
    """Components are one CI when their parents are one, and class and local key are equal: level by level."""
    tops = {batch.records[id_].ci for id_ in (*batch.seeds, *batch.moved)}
    tops |= set(batch.moved.values())  # what is left behind may be named after another now
    tops |= {held.ci for held in (batch.records[r[0]] for r in batch.members) if not held.parent}
    members = batch.of_cis(tops)
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
