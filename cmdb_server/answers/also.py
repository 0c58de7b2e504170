"""What else is booked or open beside what is asked about: what is down already, by mine alone, anyway, and only by
both together, and with whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cmdb_server.analysis.context import InContext, MeetingPoint, in_context
from cmdb_server.analysis.explanation import Explanation
from cmdb_server.answers.asked_graph import AskedGraph
from cmdb_server.answers.spans import Span, SpanTold, spans_told
from cmdb_server.answers.told import GateTold, Named, Teller
from cmdb_server.model.calendar import LATEST
from cmdb_server.practices.booked import CHANGE, OUTAGE, Booking, bookings
from cmdb_server.store.port import Reading

Also = Literal["none", "booked", "open", "both"]
KINDS: Mapping[str, tuple[str, ...]] = {"none": (), "booked": (CHANGE,), "open": (OUTAGE,), "both": (CHANGE, OUTAGE)}


@dataclass(frozen=True, slots=True)
class Other:
    """A booked change or an open outage, with the times in which its CIs are down, or with ``degraded`` degraded."""

    number: str
    kind: str
    state: str
    summary: str
    degraded: bool
    spans: tuple[SpanTold, ...]
    cis: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Meeting:
    """``ci`` is down of mine and theirs only together, by ``gate``, or None: by its ways in the network. ``with_``: each
    number that suffices with mine; or, with ``minimal_group``, all of them are needed, and ``others_may_exist``."""

    ci: Named
    gate: GateTold | None
    with_: tuple[str, ...]
    minimal_group: bool
    others_may_exist: bool


@dataclass(frozen=True, slots=True)
class ContextTold:
    """Who is down: ``already`` of what else is booked or open; ``alone`` of mine, and not already; ``anyway`` of
    either; ``together`` of neither, but of both. ``counts``: how many there are of each, whatever is listed."""

    others: tuple[Other, ...]
    already: tuple[Named, ...]
    alone: tuple[Named, ...]
    anyway: tuple[Named, ...]
    together: tuple[Named, ...]
    meeting_points: tuple[Meeting, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which ``also``, and when: ``during``, or at the one moment of the question."""

    also: Also = "none"
    during: Span | None = None
    but: Collection[str] = ()

    def bookings(self, reading: Reading, at: int | None, now: int) -> list[Booking]:
        """All of them at that time, by number."""
        moment = now if at is None else at
        start, end = self.during or (moment, moment + 1)
        within = start, LATEST if end is None else end
        return bookings(reading, within, now, KINDS[self.also], self.but) if self.also != "none" else []


NOTHING_ELSE = Asked()


def told_in_context(
    view: AskedGraph, teller: Teller, mine: Sequence[int], spared: Sequence[int], booked: Sequence[Booking], limit: int
) -> ContextTold:
    """``mine`` failing while what is booked does. A CI that is not there then takes nothing down."""
    cis = {one.number: view.there(one.cis) for one in booked}
    apart = set(spared)
    down = {one.number: [ci for ci in cis[one.number] if ci not in apart] for one in booked if not one.degraded}
    found = in_context(view.projection, mine, down, spared, limit)
    parts = {"already": found.already, "alone": found.alone, "anyway": found.anyway, "together": found.together}
    lists = {name: tuple(teller.named(ci) for ci in part[:limit].tolist()) for name, part in parts.items()}
    return ContextTold(
        tuple(other(teller, one, cis[one.number][:limit]) for one in booked),
        lists["already"], lists["alone"], lists["anyway"], lists["together"],
        _meetings(teller, found, found.meeting_points[:limit]), {name: len(part) for name, part in parts.items()},
    )  # fmt: skip


def other(teller: Teller, one: Booking, cis: Sequence[int]) -> Other:
    """Of one that names CIs which are not seen the words are kept back, as they may name them too."""
    named = tuple(teller.named(ci) for ci in cis)
    summary = str(one.thing.body.get("summary", "")) if teller.knows(one.thing) else ""
    return Other(one.number, one.thing.kind, one.thing.state, summary, one.degraded, spans_told(one.spans), named)


def _meetings(teller: Teller, found: InContext, points: Iterable[MeetingPoint]) -> tuple[Meeting, ...]:
    explanation = Explanation(found.joint)
    return tuple(
        Meeting(
            teller.named(one.ci), teller.gate(explanation.count(one.gate)) if one.gate >= 0 else None, one.with_,
            one.minimal_group, one.others_may_exist,
        )
        for one in points
    )  # fmt: skip
