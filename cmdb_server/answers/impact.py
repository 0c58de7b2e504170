"""What breaks: the answer to a question about impact, built once, for the API, the command line and reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from cmdb_server.analysis.doubt import doubt, doubtful
from cmdb_server.analysis.explanation import Explanation
from cmdb_server.analysis.impact import Impact
from cmdb_server.analysis.impact import impact as computed
from cmdb_server.answers.also import NOTHING_ELSE, Asked, ContextTold, told_in_context
from cmdb_server.answers.asked_graph import AskedGraph, asked_graph
from cmdb_server.answers.service_levels import ServiceLevels, ServiceLevelTold
from cmdb_server.answers.sight import HIDDEN
from cmdb_server.answers.told import GateTold, Named, StepTold, Teller, plain
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.what_if import Edit, Supposed, supposing, told
from cmdb_server.errors import Invalid
from cmdb_server.model.gates import State
from cmdb_server.projection.columns import Longs
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

SERVICE, DOWN = "service", "down"
LIMIT = 100
CRITICALITY = ("most_critical", "critical", "less_critical", "not_critical")


@dataclass(frozen=True, slots=True)
class Affected:
    """An affected CI. ``hops``: rounds of derivation from what failed. ``path``: from what failed to it."""

    ci: Named
    state: str
    hops: int
    path: tuple[StepTold, ...]


@dataclass(frozen=True, slots=True)
class AffectedService:
    """An affected service with who answers for it; ``criticality`` and ``owner`` None where nobody told;
    ``level`` None where no availability is agreed."""

    affected: Affected
    criticality: str | None
    owner: str | None
    level: ServiceLevelTold | None = None


@dataclass(frozen=True, slots=True)
class RedundancyLost:
    """A gate that lost members and holds: nobody fails of it, but less is left. ``holding``: who still serves fully;
    ``gone``: who is lost; some of each."""

    ci: Named
    gate: GateTold
    holding: tuple[Named, ...]
    gone: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Partitioned:
    """``consumer`` and ``provider`` came into different parts of the network, whether or not either is down for it."""

    consumer: Named
    provider: Named
    relation: str


@dataclass(frozen=True, slots=True)
class CertificateTold:
    """What proves the whole answer: sizes of its columns; ``impact.certificate()`` has the columns."""

    revision: int
    failed: int
    excluded: int
    claims: int
    gates_held: int


@dataclass(frozen=True, slots=True)
class ImpactAnswer:
    """``services`` and ``cis`` list no CI twice; a service that fails by itself is among the former. ``second_path_lost``: who reaches its gateways by one link alone now.
    ``gateway_unknown``: who lost a way and may be cut off altogether, of which no gateway is known.
    ``uncertain``: may be down or not, because of ``scan_next``, which no
    source has confirmed lately. ``counts``: all affected but those failed by themselves, by state and
    by class, whatever is listed. ``more``: how many are not listed. ``supposed``: the edits it was asked with; ``context``: what else is
    booked or open then, where that was asked for. Times in ms."""

    revision: int
    at: int | None
    known_at: int | None
    failed: tuple[Named, ...]
    not_impacted: tuple[Named, ...]
    services: tuple[AffectedService, ...]
    cis: tuple[Affected, ...]
    redundancy_lost: tuple[RedundancyLost, ...]
    second_path_lost: tuple[Named, ...]
    uncertain: tuple[Named, ...]
    scan_next: tuple[Named, ...]
    counts: Mapping[str, Mapping[str, int]]
    more: Mapping[str, int]
    certificate: CertificateTold
    supposed: tuple[Supposed, ...] = ()
    context: ContextTold | None = None
    partitioned: tuple[Partitioned, ...] = ()
    gateway_unknown: tuple[Named, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values; ``class_`` as ``class``."""
        told: dict[str, Any] = plain(asdict(self))
        return told


def impact(
    projections: Projections,
    viewer: Viewer,
    failed: Sequence[str],
    at: int | None = None,
    known_at: int | None = None,
    not_impacted: Sequence[str] = (),
    depth: int | None = None,
    limit: int = LIMIT,
    edits: Sequence[Edit] = (),
    also: Asked = NOTHING_ELSE,
    *,
    on_behalf: bool = False,
) -> ImpactAnswer:
    """What breaks when ``failed`` fail together, on the graph at ``at`` as known at ``known_at`` (ms; None: now), as
    it would be with ``edits``.

    Ids may be any that ever stood for a CI. ``on_behalf``: they were not named by the viewer, who may not see them. ``depth`` and ``limit`` bound what is listed, never what is computed.
    Raises ``NotFound`` naming an unknown id, ``Invalid`` when nothing is said to fail, a CI is both, or an edit cannot be.
    """
    if not failed:
        raise Invalid("failed: name at least one CI", errors=[{"path": "failed", "message": "must not be empty"}])

    def work(reading: Reading) -> ImpactAnswer:
        view = supposing(asked_graph(projections, viewer, reading, at, known_at), viewer, edits)
        if on_behalf:
            view = replace(view, resolve=view.living)
        sources, spared = view.cis("failed", failed), view.cis("not_impacted", not_impacted)
        answer = computed(view.projection, sources, spared)
        teller = Teller.of(view)
        found = _Telling(view, Explanation(answer), teller).answer(at, known_at, depth, limit)
        context = None
        if also.also != "none":
            booked = also.bookings(reading, at, projections.clock())
            context = told_in_context(view, teller, sources, spared, booked, limit)
        services = _levelled(found.services, ServiceLevels(view, reading, projections.clock()), also, at)
        return replace(found, services=services, supposed=told(view, teller, edits), context=context)

    return projections.store.read(work)


def _levelled(
    services: Sequence[AffectedService], levels: ServiceLevels, also: Asked, at: int | None
) -> tuple[AffectedService, ...]:
    """With what is agreed on their availability; after the answer, where it has times."""
    moment = at if at is not None else levels.now
    down = None if also.during is None else (also.during,)
    states = [down if down is None or one.affected.state == DOWN else () for one in services]
    cis = [one.affected.ci for one in services]
    found = levels.of([ci.id if ci.class_ else None for ci in cis], also.during[0] if also.during else moment, states)
    return tuple(replace(one, level=level) for one, level in zip(services, found, strict=True))


class _Telling:
    """Puts an answer into words, for one viewer."""

    def __init__(self, view: AskedGraph, explanation: Explanation, teller: Teller) -> None:
        self._view, self._explanation, self._teller = view, explanation, teller
        self._projection, self._impact = view.projection, explanation.answer

    def answer(self, at: int | None, known_at: int | None, depth: int | None, limit: int) -> ImpactAnswer:
        impact_ = self._impact
        own = set(impact_.failed.tolist())
        is_service = service_classes(self._projection)[self._projection.class_of[impact_.ci]]
        derived = ~np.isin(impact_.ci, impact_.failed)
        near = derived if depth is None else derived & (impact_.rank <= depth)
        services = self._services(np.flatnonzero((near | ~derived) & is_service), limit)
        rows = _nearest(impact_, np.flatnonzero(near & ~is_service), limit)
        held = self._held(limit)
        more = {
            "services": int(is_service.sum()) - len(services),
            "cis": int((derived & ~is_service).sum()) - len(rows),
            "redundancy_lost": len(impact_.held) - len(held),
        }
        uncertain, scan_next = self._doubt()
        more["second_path_lost"] = max(0, len(impact_.second_path_lost) - limit)
        more["partitioned"] = max(0, len(impact_.cut) - limit)
        more["gateway_unknown"] = max(0, len(impact_.gateway_unknown) - limit)
        more["uncertain"] = max(0, len(uncertain) - limit)
        return ImpactAnswer(
            revision=self._projection.revision,
            at=at,
            known_at=known_at,
            failed=tuple(self._teller.named(ci) for ci in sorted(own)),
            not_impacted=tuple(self._teller.named(ci) for ci in impact_.excluded.tolist()),
            services=services,
            cis=tuple(self._affected(row) for row in rows.tolist()),
            redundancy_lost=held,
            second_path_lost=tuple(self._teller.named(ci) for ci in impact_.second_path_lost[:limit].tolist()),
            partitioned=self._partitioned(limit),
            gateway_unknown=tuple(self._teller.named(ci) for ci in impact_.gateway_unknown[:limit].tolist()),
            uncertain=tuple(self._teller.named(ci) for ci in uncertain[:limit]),
            scan_next=tuple(self._teller.named(ci) for ci in scan_next[:limit]),
            counts=self._counts(np.flatnonzero(derived)),
            more=more,
            certificate=CertificateTold(
                self._projection.revision, len(own), len(impact_.excluded), len(impact_.ci), len(impact_.held)
            ),
        )

    def _doubt(self) -> tuple[list[int], list[int]]:
        """(uncertain CIs, the doubtful they depend on)."""
        unseen = doubtful(self._projection)
        if not len(unseen):
            return [], []
        told = doubt(self._projection, self._impact.failed.tolist(), unseen, self._impact.excluded.tolist())
        return told.uncertain.tolist(), told.scan_next.tolist()

    def _services(self, rows: Longs, limit: int) -> tuple[AffectedService, ...]:
        """The worst first, the most critical among those, then the nearest."""
        rows = _nearest(self._impact, rows, max(limit, 1000))
        ids = [self._projection.id(ci) for ci in self._impact.ci[rows].tolist()]
        attributes = self._view.attributes(ids)

        def urgency(place: int) -> tuple[int, int, int, str]:
            told = attributes.get(ids[place], {}).get("business_criticality")
            level = CRITICALITY.index(told) if told in CRITICALITY else len(CRITICALITY)
            row = rows[place]
            return -int(self._impact.state[row]), level, int(self._impact.rank[row]), ids[place]

        return tuple(
            AffectedService(
                self._affected(int(rows[place])),
                *(attributes.get(ids[place], {}).get(name) for name in ("business_criticality", "owned_by")),
            )
            for place in sorted(range(len(rows)), key=urgency)[:limit]
        )

    def _affected(self, row: int) -> Affected:
        impact_ = self._impact
        ci = int(impact_.ci[row])
        path = self._teller.steps(self._explanation.path(ci), self._explanation)
        return Affected(
            self._teller.named(ci), State(int(impact_.state[row])).name.lower(), int(impact_.rank[row]), path
        )

    def _held(self, limit: int) -> tuple[RedundancyLost, ...]:
        """The gates with the least margin first."""
        slots, held = self._projection.slots, self._impact.held
        margin = slots.slack[held] - self._impact.lost
        # A gate that never goes down has lost no redundancy that it needs: it follows the others.
        never = slots.slack[held] == slots.total[held]
        order = np.lexsort((held, margin, never))[:limit]
        found = []
        for slot in held[order].tolist():
            count = self._explanation.count(int(slots.gate[slot]))
            holding, gone = (tuple(map(self._teller.named, cis)) for cis in (count.holding, count.gone))
            found.append(
                RedundancyLost(self._teller.named(int(slots.consumer[slot])), self._teller.gate(count), holding, gone)
            )
        return tuple(found)

    def _partitioned(self, limit: int) -> tuple[Partitioned, ...]:
        cut, tell = self._impact.cut.dependencies, self._teller
        rows = zip(cut.consumer[:limit].tolist(), cut.provider[:limit].tolist(), cut.gate[:limit].tolist(), strict=True)
        return tuple(
            Partitioned(tell.named(consumer), tell.named(provider), self._projection.relation_type(gate))
            for consumer, provider, gate in rows
        )

    def _counts(self, rows: Longs) -> Mapping[str, Mapping[str, int]]:
        impact_, classes = self._impact, self._projection.rules.classes
        states = Counter(State(value).name.lower() for value in impact_.state[rows].tolist())
        cis = impact_.ci[rows]
        seen = cis if self._teller.eyes is None else cis[~self._teller.hidden(cis)]
        codes, sizes = np.unique(self._projection.class_of[seen], return_counts=True)
        by_class = {classes[code]: size for code, size in zip(codes.tolist(), sizes.tolist(), strict=True)}
        hidden = {HIDDEN: len(cis) - len(seen)} if len(seen) < len(cis) else {}
        return {"by_state": dict(states), "by_class": by_class | hidden}


def service_classes(projection: Projection) -> Any:
    """By class number."""
    rules = projection.rules
    return np.asarray([SERVICE in rules.lineage(name) for name in rules.classes.values] or [False])


def _nearest(impact_: Impact, rows: Longs, limit: int) -> Longs:
    """The rows of lowest rank, the worse state first."""
    if len(rows) > limit:
        bound = np.partition(impact_.rank[rows], limit - 1)[limit - 1] if limit else -1
        rows = rows[impact_.rank[rows] <= bound]
    order = np.lexsort((impact_.ci[rows], -impact_.state[rows].astype(np.int64), impact_.rank[rows]))
    chosen: Longs = rows[order[:limit]]
    return chosen
