"""What else is booked while a change runs: on the same CIs or their neighbours, by the same people, or fatal together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cmdb_server.analysis.collisions import Collision, Footprint, Meeting, collide, neighbourhood
from cmdb_server.analysis.explanation import Explanation
from cmdb_server.analysis.impact import impact
from cmdb_server.answers.spans import Span, SpanTold, joined, spans_told
from cmdb_server.answers.told import Named, Teller
from cmdb_server.practices.booked import Booking, meet
from cmdb_server.projection.columns import Longs

LISTED = 100


@dataclass(frozen=True, slots=True)
class Overlap:
    """Something booked at the same time that touches the change. ``same``: CIs of both; ``providers``: CIs of the other
    that the change's stand on; ``consumers``: CIs of the other that stand on the change's; ``people``: who does both."""

    number: str
    kind: str
    state: str
    summary: str
    spans: tuple[SpanTold, ...]
    same: tuple[Named, ...]
    providers: tuple[Named, ...]
    consumers: tuple[Named, ...]
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeetingTold:
    """``ci`` falls of the change and ``numbers`` together: of each of them with the change, or, with ``group``, of all
    of them, others being possible. ``text``: the gate's arithmetic then. ``masked``: all that is booked takes it down
    anyway, a part of it would not; ``certain``: False where not every part was tried."""

    ci: Named
    relation: str | None
    text: str
    numbers: tuple[str, ...]
    group: bool
    masked: bool
    certain: bool


@dataclass(frozen=True, slots=True)
class CollisionTold:
    """What is fatal together during ``spans``. ``numbers``: those that any meeting needs, and nothing else that is
    booked then. ``together``: who falls of the change and what is booked, of neither alone; ``more`` of them are not
    listed."""

    numbers: tuple[str, ...]
    spans: tuple[SpanTold, ...]
    together: tuple[Named, ...]
    more: int
    meetings: tuple[MeetingTold, ...]


def pieces(spans: Iterable[Span], booked: Sequence[Booking]) -> Mapping[frozenset[str], tuple[Span, ...]]:
    """What is active at once while a change runs -> when."""
    found: dict[frozenset[str], list[Span]] = {}
    for mine in spans:
        here = [(one.number, span) for one in booked for span in one.spans if meet(mine, span)]
        for start, end in _cuts(mine, [span for _, span in here]):
            active = frozenset(number for number, span in here if meet((start, end), span))
            found.setdefault(active, []).append((start, end))
    return {active: tuple(told) for active, told in found.items() if active}


def _cuts(mine: Span, others: Iterable[Span]) -> Iterator[Span]:
    start, end = mine
    edges = {
        edge for span in others for edge in span if edge is not None and start < edge and (end is None or edge < end)
    }
    points = [start, *sorted(edges)]
    yield from zip(points, [*points[1:], end], strict=True)


class Overlaps:
    """What is booked, against one change. ``cis``: by number, those that are in the graph."""

    def __init__(
        self, teller: Teller, mine: Footprint, people: frozenset[str], booked: Sequence[Booking],
        cis: Mapping[str, Sequence[int]],
    ) -> None:  # fmt: skip
        self._teller, self._projection, self._mine, self._people = teller, teller.projection, mine, people
        self._booked, self._cis = {one.number: one for one in booked}, cis

    def touching(self) -> tuple[Overlap, ...]:
        """Those on the same CIs, on neighbours, or by the same people."""
        found = (self._touch(one) for one in self._booked.values())
        return tuple(one for one in found if one.same or one.providers or one.consumers or one.people)

    def _touch(self, one: Booking) -> Overlap:
        near = neighbourhood(self._projection, self._mine, np.unique(np.asarray(self._cis[one.number], np.int64)))
        return Overlap(
            one.number,
            one.thing.kind,
            one.thing.state,
            str(one.thing.body.get("summary", "")),
            spans_told(one.spans),
            self._named(near.same),
            self._named(near.providers),
            self._named(near.consumers),
            tuple(sorted(one.people & self._people)),
        )

    def collisions(self, told: Mapping[frozenset[str], tuple[Span, ...]]) -> tuple[CollisionTold, ...]:
        """What is fatal together, by what is active at once."""
        down = {number: self._cis[number] for number, one in self._booked.items() if not one.degraded}
        times: dict[frozenset[str], list[Span]] = {}
        for active, spans in told.items():
            times.setdefault(frozenset(active & down.keys()), []).extend(spans)
        found = collide(self._projection, self._mine, down, times)
        alike: dict[CollisionTold, list[Span]] = {}
        for one in found:  # what else comes and goes meanwhile makes no other collision of it
            alike.setdefault(self._collision(one), []).extend(times[frozenset(one.active)])
        return tuple(replace(one, spans=spans_told(joined(spans))) for one, spans in alike.items())

    def _collision(self, one: Collision) -> CollisionTold:
        """Without its spans."""
        numbers = sorted({name for met in one.meetings for name in met.names})
        return CollisionTold(
            tuple(numbers), (), self._named(one.together), max(0, len(one.together) - LISTED),
            tuple(self._meeting(met) for met in one.meetings),
        )  # fmt: skip

    def _meeting(self, met: Meeting) -> MeetingTold:
        both = np.concatenate([self._mine.cis, *(np.asarray(self._cis[name], np.int64) for name in met.names)])
        relation, text = None, "no way through the network is left"
        if met.gate is not None:
            gate = self._teller.gate(Explanation(impact(self._projection, both)).count(met.gate))
            relation, text = gate.relation, gate.text
        return MeetingTold(self._teller.named(met.ci), relation, text, met.names, met.group, met.masked, met.certain)

    def _named(self, cis: Longs) -> tuple[Named, ...]:
        return tuple(self._teller.named(ci) for ci in cis[:LISTED].tolist())
