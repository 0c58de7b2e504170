"""What breaks from when to when, while several failures begin and end: services first, then CIs, then the pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf
from typing import Any

import numpy as np

from cmdb_server.analysis.intervals import FOREVER, Failure, OverTime, Span, over_time
from cmdb_server.answers.also import Also, Asked, Other, other
from cmdb_server.answers.asked_graph import AskedGraph, asked_graph
from cmdb_server.answers.impact import CRITICALITY, LIMIT, service_classes
from cmdb_server.answers.service_levels import ServiceLevels, ServiceLevelTold
from cmdb_server.answers.spans import SpanTold, length, spans_told
from cmdb_server.answers.told import Named, Teller, plain
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.what_if import Edit, edits_of, supposing
from cmdb_server.errors import Invalid
from cmdb_server.model.gates import State
from cmdb_server.practices.booked import Booking
from cmdb_server.projection.columns import Longs
from cmdb_server.projection.edited import Edits
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

ENDLESS = FOREVER >> 8
"""In place of no end, in ms: longer than any time, and sums of it still fit."""
MOST_SORTED = 1000
"""Services whose criticality is looked up."""


@dataclass(frozen=True, slots=True)
class Booked:
    """CIs, by any of their ids, that are down during ``spans`` (ms, half open, an end of None being none)."""

    cis: tuple[str, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the graph is expected to be otherwise from ``at`` (ms) on."""

    at: int
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class AffectedOverTime:
    """When a CI is down and degraded. ``down_ms``, ``degraded_ms``: how long in all; None when without an end.
    ``anyway``: when it would be down of what else is booked or open alone."""

    ci: Named
    down: tuple[SpanTold, ...]
    degraded: tuple[SpanTold, ...]
    down_ms: int | None
    degraded_ms: int | None
    anyway: tuple[SpanTold, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceOverTime:
    """With who answers for it; ``criticality`` and ``owner`` None where nobody told; ``level``: of the period in which
    the question's time begins, None where no availability is agreed."""

    affected: AffectedOverTime
    criticality: str | None
    owner: str | None
    level: ServiceLevelTold | None = None


@dataclass(frozen=True, slots=True)
class PieceTold:
    """A time in which nothing changes: who fails by themselves, and how many are affected, those among them."""

    start: int
    end: int | None
    failed: tuple[Named, ...]
    by_state: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class IntervalsAnswer:
    """``services`` and ``cis`` list no CI twice, the longest down first, those that fail by themselves left out.
    ``pieces`` follow one another without a gap. ``more``: how many of each are not listed. ``others``: what else is
    booked or open then, which fails too. Times in ms."""

    revision: int
    start: int
    end: int | None
    services: tuple[ServiceOverTime, ...]
    cis: tuple[AffectedOverTime, ...]
    pieces: tuple[PieceTold, ...]
    more: Mapping[str, int]
    others: tuple[Other, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values; ``class_`` as ``class``."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def intervals(
    projections: Projections,
    viewer: Viewer,
    window: Span,
    failures: Sequence[Booked],
    expected: Sequence[Expected] = (),
    not_impacted: Sequence[str] = (),
    at: int | None = None,
    known_at: int | None = None,
    limit: int = LIMIT,
    also: Also = "none",
) -> IntervalsAnswer:
    """What breaks when within ``window``, on the graph at ``at`` as known at ``known_at`` (None: now) with what is
    ``expected`` of it by then. ``also``: while what is booked or open then fails too. Raises ``NotFound`` and ``Invalid`` with the place of what is unknown, ends before it
    begins or cannot be."""
    if not failures:
        raise Invalid("failures: name at least one", errors=[{"path": "failures", "message": "must not be empty"}])

    def work(reading: Reading) -> IntervalsAnswer:
        view = asked_graph(projections, viewer, reading, at, known_at)
        told = [
            Failure(tuple(view.cis(f"failures[{place}].cis", one.cis)), one.spans)
            for place, one in enumerate(failures)
        ]  # fmt: skip
        spared, edits = view.cis("not_impacted", not_impacted), list(_edits(view, viewer, expected))
        booked = Asked(also, window).bookings(reading, at, projections.clock())
        others = list(_failing(view, booked, spared))
        found = over_time(view.projection, window, [*told, *others], edits, spared)
        anyway = over_time(view.projection, window, others, edits, spared) if others else None
        teller = Teller.of(view)
        answer = _Telling(view, teller, found, anyway).answer(window, limit)
        answer = replace(answer, others=tuple(other(teller, one, view.there(one.cis)[:limit]) for one in booked))
        levels = ServiceLevels(view, reading, projections.clock())
        return replace(answer, services=_levelled(answer.services, levels, window[0]))

    return projections.store.read(work)


def _failing(view: AskedGraph, booked: Iterable[Booking], spared: Iterable[int]) -> Iterator[Failure]:
    """What is booked, as far as it is there and may fail."""
    apart = set(spared)
    for one in booked:
        cis = tuple(ci for ci in view.there(one.cis) if ci not in apart)
        if cis:
            yield Failure(cis, one.spans, one.degraded)


def _edits(view: AskedGraph, viewer: Viewer, expected: Sequence[Expected]) -> Iterator[tuple[int, Edits]]:
    """Each checked on the graph that the earlier ones leave."""
    for place, one in sorted(enumerate(expected), key=lambda told: told[1].at):
        path = f"expected[{place}].edits"
        yield one.at, edits_of(view, viewer, one.edits, path)
        view = supposing(view, viewer, one.edits, path)


def _levelled(services: Sequence[ServiceOverTime], levels: ServiceLevels, start: int) -> tuple[ServiceOverTime, ...]:
    """With what is agreed on their availability, before and after."""
    down = [[(span.start, span.end) for span in one.affected.down] for one in services]
    cis = [one.affected.ci for one in services]
    found = levels.of([ci.id if ci.class_ else None for ci in cis], start, down)
    return tuple(replace(one, level=level) for one, level in zip(services, found, strict=True))


class _Telling:
    """Puts an answer into words, for one viewer."""

    def __init__(self, view: AskedGraph, teller: Teller, found: OverTime, anyway: OverTime | None) -> None:
        self._view, self._teller, self._found, self._anyway = view, teller, found, anyway

    def answer(self, window: Span, limit: int) -> IntervalsAnswer:
        graph = self._view.projection
        cis = self._worst()
        is_service = service_classes(graph)[graph.class_of[cis]]
        services, others = cis[is_service], cis[~is_service]
        listed = self._services(services, limit)
        pieces = self._found.pieces
        return IntervalsAnswer(
            graph.revision, *window, listed, tuple(self._affected(ci) for ci in others[:limit].tolist()),
            tuple(self._piece(place) for place in range(min(limit, len(pieces)))),
            {"services": max(0, len(services) - limit), "cis": max(0, len(others) - limit),
             "pieces": max(0, len(pieces) - limit)},
        )  # fmt: skip

    def _worst(self) -> Longs:
        """All affected but those that fail by themselves alone, the longest down first, then the longest degraded."""
        found = self._found
        first = np.flatnonzero(np.append(True, found.ci[1:] != found.ci[:-1])) if len(found.ci) else found.ci
        cis, lasted = found.ci[first], np.minimum(found.end, ENDLESS) - found.start
        down, limping = (
            np.add.reduceat(np.where(found.state == state, lasted, 0), first) if len(first) else lasted
            for state in (State.DOWN, State.DEGRADED)
        )
        rows = np.lexsort((cis, -limping, -down))
        chosen: Longs = cis[rows][(down + limping > self._own()[cis])[rows]]
        return chosen

    def _own(self) -> Longs:
        """How long each CI fails by itself, in ms: whoever is affected for longer is so because of others too."""
        own = np.zeros(len(self._view.projection), np.int64)
        for piece in self._found.pieces:
            own[piece.failed] += (ENDLESS if piece.end is None else piece.end) - piece.start
        return own

    def _affected(self, ci: int) -> AffectedOverTime:
        down, limping = (self._found.of(ci, state) for state in (State.DOWN, State.DEGRADED))
        anyway = self._anyway.of(ci) if self._anyway else ()
        return AffectedOverTime(
            self._teller.named(ci), spans_told(down), spans_told(limping), length(down), length(limping),
            spans_told(anyway),
        )  # fmt: skip

    def _services(self, cis: Longs, limit: int) -> tuple[ServiceOverTime, ...]:
        """The longest down first, the most critical of those that are so equally long."""

        def urgency(told: ServiceOverTime) -> tuple[float, float, int]:
            level = CRITICALITY.index(told.criticality) if told.criticality in CRITICALITY else len(CRITICALITY)
            down, limping = (
                -inf if length is None else -length for length in (told.affected.down_ms, told.affected.degraded_ms)
            )
            return down, limping, level

        return tuple(sorted(map(self._service, cis[: max(limit, MOST_SORTED)].tolist()), key=urgency)[:limit])

    def _service(self, ci: int) -> ServiceOverTime:
        id_ = self._view.projection.id(ci)
        values = {} if self._teller.is_hidden(ci) else self._view.attributes([id_]).get(id_, {})
        return ServiceOverTime(self._affected(ci), values.get("business_criticality"), values.get("owned_by"))

    def _piece(self, place: int) -> PieceTold:
        piece = self._found.pieces[place]
        states = {"down": piece.down, "degraded": piece.degraded}
        failed = tuple(self._teller.named(ci) for ci in piece.failed.tolist())
        return PieceTold(piece.start, piece.end, failed, {state: count for state, count in states.items() if count})
