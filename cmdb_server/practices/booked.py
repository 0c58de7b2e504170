"""What is booked: changes to come or under way and outages that are open, with the times in which their CIs are down."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cmdb_server.model import calendar, instants
from cmdb_server.model.calendar import Window
from cmdb_server.model.intervals import Interval
from cmdb_server.practices.kept_rows import Kept, all_in
from cmdb_server.store.port import Reading

CHANGE, OUTAGE = "change", "outage"
BOOKED = ("scheduled", "implement")
Span = tuple[int, int | None]
"""[start, end) in ms; an end of None is not known yet."""


@dataclass(frozen=True, slots=True)
class Booking:
    """One change or outage. ``cis``: what is down during ``spans``, with ``degraded`` only degraded then.
    ``people``: who does it; ``thing``: as it is kept."""

    number: str
    cis: tuple[str, ...]
    spans: tuple[Span, ...]
    degraded: bool
    people: frozenset[str]
    thing: Kept

    def overlaps(self, spans: tuple[Span, ...]) -> bool:
        """Whether it has a moment in common with any of ``spans``."""
        return any(meet(mine, one) for mine in self.spans for one in spans)


def meet(one: Span, other: Span) -> bool:
    """Whether two spans have a moment in common: none, where one ends as the other begins."""
    (a, b), (c, d) = one, other
    return (d is None or a < d) and (b is None or c < b)


def bookings(
    tx: Reading, within: Interval, now_ms: int, kinds: Collection[str] = (CHANGE, OUTAGE), but: Collection[str] = ()
) -> list[Booking]:
    """All that is booked or open within [start, end), but not the numbers ``but``."""
    return [one for one in _every(tx, within, now_ms, kinds) if one.number not in but and one.spans]


def _every(tx: Reading, within: Interval, now_ms: int, kinds: Collection[str]) -> Iterator[Booking]:
    if CHANGE in kinds:
        yield from (booking_of(one, within, now_ms) for one in all_in(tx, CHANGE, BOOKED))
    if OUTAGE in kinds:
        yield from (_outage(one, within) for one in all_in(tx, OUTAGE, ("open",)))


def booking_of(change: Kept, within: Interval, now_ms: int) -> Booking:
    """A change as it is, or would be, booked. One without interruption takes nothing down; one that is being
    implemented goes on until it is said to have ended."""
    told = change.body
    spans: list[Span] = list(calendar.expand(windows_of(change), within))
    if change.state == "implement":
        spans = [(instants.parse(told["started_at"]) if told.get("started_at") else now_ms, None)]
    effect = told.get("interruption", "full")
    cis = () if effect == "none" else change.cis.get("changed", ())
    people = frozenset(told.get("implementers", ()))
    shown = tuple(span for span in spans if meet(span, within))
    return Booking(change.number, cis, shown, effect == "degraded", people, change)


def windows_of(thing: Kept) -> list[Window]:
    """Its windows, as they were told."""
    return [calendar.window(one, f"body.windows[{place}]") for place, one in enumerate(thing.body.get("windows", ()))]


def _outage(outage: Kept, within: Interval) -> Booking:
    span: Span = instants.parse(outage.body["started_at"]), None
    spans = (span,) if meet(span, within) else ()
    return Booking(outage.number, outage.cis.get("down", ()), spans, False, frozenset(), outage)
