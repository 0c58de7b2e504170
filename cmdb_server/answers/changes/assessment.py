"""The assessment of a change: what breaks meanwhile, what else is booked, whether it keeps to the calendar, the risk,
and who has to approve. Made of one state of the graph, and kept with its revision."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import msgspec
import numpy as np

from cmdb_schemas.units import duration_ms
from cmdb_server.analysis.collisions import Footprint, footprint
from cmdb_server.answers.asked_graph import AskedGraph, asked_graph
from cmdb_server.answers.changes.conditions import Calendar, Conditions, Covers, covering
from cmdb_server.answers.changes.outcomes import done, past
from cmdb_server.answers.changes.overlaps import CollisionTold, Overlap, Overlaps, pieces
from cmdb_server.answers.changes.veiled import veiled
from cmdb_server.answers.impact import ImpactAnswer, impact, service_classes
from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.spans import Span, SpanTold, spans_told
from cmdb_server.answers.told import Named, Teller, plain
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Conflict, Invalid, NotFound
from cmdb_server.model.intervals import Intervals, normalise
from cmdb_server.model.risk import Facts, Risk, risk
from cmdb_server.practices.booked import CHANGE, Booking, booking_of, bookings, windows_of
from cmdb_server.practices.changed_cis import AHEAD, all_there
from cmdb_server.practices.kept_rows import Kept, one_in
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

DAY = 86_400_000
HORIZON = 366 * DAY
"""How far ahead a recurring change is looked at."""
TRIES = 5
LISTED = 500
"""Services that are asked about."""
TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    """A service that is hit, by ``with_`` only together with these numbers, and who approves it: its owner; None:
    nobody owns it, any approver does. ``criticality`` None where nobody told."""

    service: Named
    state: str
    owner: str | None
    criticality: str | None = None
    with_: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """``number`` at ``version``, on the graph of ``revision``. ``spans``: when it runs, a year ahead at most.
    ``impact``: None where nothing is interrupted. ``overlaps``: what is booked then on the same CIs, their neighbours or
    by the same people; ``collisions``: what is fatal together. ``template_faults``: how a standard change departs from
    its template. ``substance``: the digest of what people decide upon."""

    number: str
    version: int
    revision: int
    assessed_at: int
    spans: tuple[SpanTold, ...]
    impact: ImpactAnswer | None
    overlaps: tuple[Overlap, ...]
    collisions: tuple[CollisionTold, ...]
    conditions: Conditions
    risk: Risk
    approvals: tuple[ApprovalNeeded, ...]
    template_faults: tuple[str, ...]
    substance: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        told: dict[str, Any] = plain(asdict(self))
        return told


def assess(projections: Projections, viewer: Viewer, number: str) -> Assessment:
    """Assess a change as it is now, on all of the graph, and tell what the viewer may know. Raises NotFound, Invalid
    where its windows are over, it names no CIs, or one that is no more although it is not begun."""
    sight = viewer.sight
    if sight is None:
        return _assessed(projections, viewer, number)
    as_seen(projections.store, viewer).read(lambda tx: one_in(tx, number))
    found = _assessed(projections, replace(viewer, sight=None), number)
    change = projections.store.read(lambda tx: one_in(tx, number))
    cis = change.cis["changed"]
    breaks = impact(projections, viewer, cis, limit=LISTED, on_behalf=True) if found.impact else None
    return projections.store.read(lambda tx: veiled(tx, sight, found, breaks, change))


def _assessed(projections: Projections, viewer: Viewer, number: str) -> Assessment:
    for _ in range(TRIES):
        change = projections.store.read(lambda tx: one_in(tx, number))
        if change.kind != CHANGE:
            raise NotFound(f"there is no change {number}")
        cis = change.cis.get("changed", ())
        if not cis:
            raise Invalid("cis.changed: names no CIs", errors=[{"path": "cis.changed", "message": "names no CIs"}])
        if change.state in AHEAD:
            projections.store.read(partial(all_there, change=change))
        breaks = impact(projections, viewer, cis, limit=LISTED) if change.body.get("interruption") != "none" else None
        found = projections.store.read(_Assessing(projections, viewer, change, breaks).answer)
        if found is not None:
            return found
    raise Conflict("the graph moves faster than it can be assessed: try again")


@dataclass(frozen=True, slots=True)
class _Assessing:
    projections: Projections
    viewer: Viewer
    change: Kept
    breaks: ImpactAnswer | None

    def answer(self, tx: Reading) -> Assessment | None:
        """None where the graph, or the change, has moved on since the impact was computed."""
        change, now = one_in(tx, self.change.number), self.projections.clock()
        view = asked_graph(self.projections, self.viewer, tx, None, None)
        if change != self.change or (self.breaks and self.breaks.revision != view.projection.revision):
            return None
        mine = booking_of(change, (now, now + HORIZON), now)
        times = _times(mine.spans, now, [window.start for window in windows_of(change)])
        others = [
            one for one in bookings(tx, (now, now + HORIZON), now, but=[change.number]) if one.overlaps(mine.spans)
        ]
        over = overlaps_of(view, Teller.of(view), mine, others)
        touching, colliding = over.touching(), over.collisions(pieces(mine.spans, others))
        covers = covering(tx, self.projections, self.viewer.kinds, change.cis["changed"], now)
        conditions = Calendar.read(tx, covers).conditions(times, now)
        needed = self._needed(view, colliding)
        facts = self._facts(tx, view, conditions, touching, colliding, needed)
        told = risk(facts)
        substance = _substance(needed, touching, colliding, conditions, told)
        return Assessment(
            change.number, change.version, tx.revision, now, spans_told(mine.spans), self.breaks, touching, colliding,
            conditions, told, needed, tuple(self._departures(tx, covers, times)), substance,
        )  # fmt: skip

    def _facts(
        self, tx: Reading, view: AskedGraph, conditions: Conditions, touching: Iterable[Overlap],
        colliding: Iterable[CollisionTold], needed: Iterable[ApprovalNeeded],
    ) -> Facts:  # fmt: skip
        change, breaks = self.change, self.breaks
        cis, type_ = change.cis["changed"], str(change.body.get("type", "normal"))
        classes = {view.projection.class_name(ci) for ci in view.there(cis)}
        return Facts(
            services=[(one.criticality, one.state == "down") for one in needed],
            redundancy_lost=0 if breaks is None else breaks.certificate.gates_held,
            affected=0 if breaks is None else sum(breaks.counts["by_state"].values()),
            past=past(done(tx), cis, type_),
            kind=type_,
            lineages=[view.projection.rules.lineage(name) for name in sorted(classes)],
            colliding=len({number for one in colliding for met in one.meetings for number in met.numbers}),
            touching=sum(1 for _ in touching),
            uncertain=0 if breaks is None else len(breaks.uncertain) + breaks.more["uncertain"],
            back_out=bool(change.body.get("back_out")),
            in_window=conditions.in_windows,
            in_freeze=bool(conditions.freezes),
        )

    def _departures(self, tx: Reading, covers: Covers, times: Intervals) -> Iterator[str]:
        """How a standard change departs from its template."""
        number = self.change.body.get("template")
        if self.change.body.get("type") != "standard":
            return
        template = one_in(tx, number) if number else None
        if template is None or template.kind != TEMPLATE or template.state != "approved":
            yield f"{number or 'none'} is no approved template"
            return
        outside = sorted(set(self.change.cis["changed"]) - set(covers(template)))
        if outside:
            yield f"it is not for {', '.join(outside)}"
        longest = duration_ms(template.body.get("longest"))
        if longest is not None and any(end - start > longest for start, end in times):
            yield f"a window is longer than {template.body['longest']}"

    def _needed(self, view: AskedGraph, colliding: Iterable[CollisionTold]) -> tuple[ApprovalNeeded, ...]:
        """Services that are hit by the change alone, changed ones among them, and those that fall of it together with
        what else is booked. What only degrades what it changes takes no service down."""
        alone = self.breaks.services if self.breaks else ()
        only = "degraded" if self.change.body.get("interruption") == "degraded" else None
        found = {
            one.affected.ci.id: ApprovalNeeded(one.affected.ci, only or one.affected.state, one.owner, one.criticality)
            for one in alone
        }
        only_with = {ci: numbers for ci, numbers in _only_with(view, colliding).items() if ci.id not in found}
        told = view.attributes([ci.id for ci in only_with])
        for ci, numbers in only_with.items():
            values = told.get(ci.id, {})
            owner, criticality = values.get("owned_by"), values.get("business_criticality")
            found[ci.id] = ApprovalNeeded(ci, "down", owner, criticality, tuple(sorted(numbers)))
        return tuple(found.values())


def _only_with(view: AskedGraph, colliding: Iterable[CollisionTold]) -> Mapping[Named, set[str]]:
    """The services that fall together with others alone, and with which: those that a meeting needs which takes the
    service down by itself; where none does, all that the collision is of."""
    projection, found = view.projection, dict[Named, set[str]]()
    services = service_classes(projection)
    for one in colliding:
        fall = [(footprint(projection, [projection.ci(met.ci.id)]).down, met.numbers) for met in one.meetings]
        for named in one.together:
            ci = projection.ci(named.id)
            if services[projection.class_of[ci]]:
                by = {name for down, numbers in fall if ci in down for name in numbers}
                found.setdefault(named, set()).update(by or one.numbers)
    return found


def overlaps_of(view: AskedGraph, teller: Teller, mine: Booking, others: Iterable[Booking]) -> Overlaps:
    """``others`` against ``mine``."""
    told = list(others)
    return Overlaps(
        teller, own_footprint(view, mine), mine.people, told, {one.number: view.there(one.cis) for one in told}
    )


def own_footprint(view: AskedGraph, mine: Booking) -> Footprint:
    """What a change takes down; one that only degrades takes nothing down, but touches what it changes."""
    cis = view.there(mine.cis)
    if cis and not mine.degraded:
        return footprint(view.projection, cis)
    none = np.empty(0, np.int64)
    touched = np.unique(np.asarray(view.there(mine.thing.cis.get("changed", ())), np.int64))
    return Footprint(touched, none, touched, none, network=False)


def _times(spans: Iterable[Span], now: int, starts: Iterable[int]) -> Intervals:
    """Half-open intervals; what goes on until it is ended is looked at for a day. ``starts``: of its windows."""
    told = normalise((start, max(start, now) + DAY if end is None else end) for start, end in spans)
    if not told:
        later = any(start >= now + HORIZON for start in starts)
        message = "none of them begins within a year: it is assessed nearer to it" if later else "all of them are over"
        raise Invalid(f"body.windows: {message}", errors=[{"path": "body.windows", "message": message}])
    return told


def _substance(
    needed: Iterable[ApprovalNeeded], touching: Iterable[Overlap], colliding: Iterable[CollisionTold],
    conditions: Conditions, told: Risk,
) -> str:  # fmt: skip
    """A digest of what an approval is about: as long as it stays the same, approvals hold."""
    parts: Mapping[str, Any] = {
        "services": sorted((one.service.id, one.state, one.owner, one.with_) for one in needed),
        "touching": sorted(
            (one.number, sorted(ci.id for ci in (*one.same, *one.providers, *one.consumers)), one.people)
            for one in touching
        ),
        "colliding": sorted((one.numbers, sorted(ci.id for ci in one.together)) for one in colliding),
        "freezes": sorted(one.number for one in conditions.freezes),
        "outside": bool(conditions.outside),
        "band": told.band,
    }
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()
