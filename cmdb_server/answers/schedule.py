"""The forward schedule: which changes, outages and freezes lie in a time, and which services stand on what they touch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.requires import above, below
from cmdb_server.answers.asked_graph import AskedGraph, asked_graph
from cmdb_server.answers.impact import service_classes
from cmdb_server.answers.spans import Span, SpanTold, spans_told
from cmdb_server.answers.told import Named, Teller
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Invalid
from cmdb_server.model.gates import State
from cmdb_server.model.intervals import Interval, normalise
from cmdb_server.practices.booked import CHANGE, OUTAGE, bookings, windows_of
from cmdb_server.practices.kept_rows import Kept, all_in
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

FREEZE = "freeze"
KINDS = (CHANGE, OUTAGE, FREEZE)
LIMIT = 100
LONGEST_MS = 2 * 366 * 86_400_000
MOST_SPANS = 100
"""Told of one thing."""
MOST_CIS = 20
ROLES: Mapping[str, str] = {CHANGE: "changed", OUTAGE: "down", FREEZE: "frozen"}


@dataclass(frozen=True, slots=True)
class ServiceTouched:
    """A service that stands on what is touched. ``state``: what it is in while that is down: ``up`` where it holds."""

    ci: Named
    owner: str | None
    state: str


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One thing of the schedule. ``type`` of a change; ``spans``: when, the first ones; ``effect``: what it does to what it touches
    meanwhile: full, degraded or none. ``changed_at`` (ms) and ``version``: of its last version. ``more``: of each kind
    how many are not listed."""

    number: str
    kind: str
    type: str | None
    state: str
    summary: str
    subject: str
    version: int
    changed_at: int
    effect: str
    spans: tuple[SpanTold, ...]
    cis: tuple[Named, ...]
    services: tuple[ServiceTouched, ...]
    more: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ScheduleAnswer:
    """``items`` by their first moment within [``start``, ``end``) (ms). ``service``, ``owner``: what it was narrowed to.
    ``more``: how many are not listed."""

    revision: int
    start: int
    end: int
    service: Named | None
    owner: str | None
    items: tuple[Scheduled, ...]
    more: int


def schedule(
    projections: Projections, viewer: Viewer, within: Interval, service: str | None = None, owner: str | None = None,
    kinds: Collection[str] = KINDS, limit: int = LIMIT,
) -> ScheduleAnswer:  # fmt: skip
    """What lies within [start, end) ms, on the present graph: all, or what touches what ``service`` stands on, or what
    a service of ``owner`` stands on. Raises NotFound for an unknown service, Invalid for a time that ends before it
    starts."""
    if within[0] >= within[1]:
        raise _refused("is not after from")
    if within[1] - within[0] > LONGEST_MS:
        raise _refused("is more than two years after from")

    def work(reading: Reading) -> ScheduleAnswer:
        view = asked_graph(projections, viewer, reading, None, None)
        tell = Teller.of(view)
        asked = None if service is None else view.cis("service", [service])[0]
        listing = _Listing(view, tell, asked, owner, limit)
        found = sorted(
            _things(reading, within, projections.clock(), kinds), key=lambda one: (one[1][0][0], one[0].number)
        )
        items, more = listing.of(found)
        named = None if asked is None else tell.named(asked)
        return ScheduleAnswer(reading.revision, *within, named, owner, tuple(items), more)

    return projections.store.read(work)


def _refused(message: str) -> Invalid:
    return Invalid(f"to: {message}", errors=[{"path": "to", "message": message}])


def _things(tx: Reading, within: Interval, now: int, kinds: Collection[str]) -> Iterator[tuple[Kept, list[Span]]]:
    """What lies in that time, and when: whole windows, not cut off at its ends."""
    for one in bookings(tx, within, now, [kind for kind in kinds if kind != FREEZE]):
        under_way = any(end is None for _, end in one.spans)
        yield one.thing, list(one.spans) if under_way else _windows(one.thing, within)
    if FREEZE in kinds:
        for thing in all_in(tx, FREEZE, ("in_force",)):
            if spans := _windows(thing, within):
                yield thing, spans


def _windows(thing: Kept, within: Interval) -> list[Span]:
    return list(normalise(one for each in windows_of(thing) for one in each.intervals(within)))


class _Listing:
    """Puts things into words, those that fit the question."""

    def __init__(self, view: AskedGraph, tell: Teller, service: int | None, owner: str | None, limit: int) -> None:
        self._view, self._tell, self._owner, self._limit = view, tell, owner, limit
        self._service = service
        self._under: frozenset[int] | None = None
        if service is not None:
            self._under = frozenset(below(view.projection, np.asarray([service]))[0].tolist())
        self._is_service = service_classes(view.projection)
        self._told: dict[int, Mapping[str, Any]] = {}

    def of(self, found: list[tuple[Kept, list[Span]]]) -> tuple[list[Scheduled], int]:
        """The first ones, and how many more there are."""
        items: list[Scheduled] = []
        more = 0
        for thing, spans in found:
            cis = self._view.there(thing.cis.get(ROLES[thing.kind], ()))
            if not self._fits(thing, cis) or not self._concerns(cis):
                continue
            if len(items) < self._limit:
                items.append(self._scheduled(thing, spans, cis))
            else:
                more += 1
        return items, more

    def _fits(self, thing: Kept, cis: list[int]) -> bool:
        """A freeze of everything concerns everybody."""
        if thing.kind == FREEZE and not thing.cis and not thing.body.get("selector"):
            return True
        if self._under is not None and self._under.isdisjoint(cis):
            return False
        return self._owner is None or any(
            self._attribute(one, "owned_by") == self._owner for one in self._services(cis)
        )

    def _concerns(self, cis: list[int]) -> bool:
        """Whether anything of it is seen: what is touched, or a service that stands on it."""
        if not cis or self._tell.eyes is None:
            return True
        return not self._tell.hidden(np.asarray([*cis, *self._services(cis)], np.int64)).all()

    def _services(self, cis: list[int]) -> list[int]:
        """Those that stand on the CIs, the CIs themselves included where they are services."""
        if not cis:
            return []
        found, _ = above(self._view.projection, np.asarray(cis))
        return [int(one) for one in found[self._is_service[self._view.projection.class_of[found]]]]

    def _attribute(self, ci: int, name: str) -> Any:
        if ci not in self._told:
            id_ = self._view.projection.id(ci)
            self._told[ci] = self._view.attributes([id_]).get(id_, {})
        return None if self._tell.is_hidden(ci) else self._told[ci].get(name)

    def _scheduled(self, thing: Kept, spans: list[Span], cis: list[int]) -> Scheduled:
        summary = str(thing.body.get("summary", "")) if self._tell.knows(thing) else ""
        body, named = thing.body, tuple(self._tell.named(ci) for ci in cis[:MOST_CIS])
        effect = body.get("interruption", "full") if thing.kind == CHANGE else {OUTAGE: "full"}.get(thing.kind, "none")
        services = self._services(cis)
        shown = services[:MOST_CIS]
        more = {
            name: max(0, len(all_) - most)
            for name, all_, most in (("spans", spans, MOST_SPANS), ("cis", cis, MOST_CIS), ("services", services, MOST_CIS))
        }  # fmt: skip
        return Scheduled(
            thing.number, thing.kind, body.get("type"), thing.state, summary, thing.subject,
            thing.version, thing.changed_at, effect, spans_told(spans[:MOST_SPANS]), named,
            tuple(self._touched(one, state) for one, state in zip(shown, self._states(cis, shown, effect), strict=True)),
            more,
        )  # fmt: skip

    def _states(self, cis: list[int], services: list[int], effect: str) -> list[str]:
        """What the services are in while the CIs are down; those that are only degraded degrade at most."""
        if effect == "none":
            return ["up"] * len(services)
        answer = impact(self._view.projection, cis)
        state = dict(zip(answer.ci.tolist(), answer.state.tolist(), strict=True))
        worst = State.DOWN if effect == "full" else State.DEGRADED
        return [State(min(state.get(one, 0), worst)).name.lower() for one in services]

    def _touched(self, service: int, state: str) -> ServiceTouched:
        return ServiceTouched(self._tell.named(service), self._attribute(service, "owned_by"), state)
