"""When a change could be done: the first time long enough that is allowed, not frozen, and collides with nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cmdb_server.answers.asked_graph import asked_graph
from cmdb_server.answers.changes.assessment import overlaps_of
from cmdb_server.answers.changes.conditions import Calendar, covering
from cmdb_server.answers.changes.overlaps import pieces
from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.spans import Span, SpanTold
from cmdb_server.answers.told import Teller
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.model.intervals import Interval, Intervals, difference, normalise, total, union
from cmdb_server.practices.booked import CHANGE, Booking, booking_of, bookings
from cmdb_server.practices.kept_rows import Kept, one_in
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

DAY = 86_400_000
HORIZON = 90 * DAY
TRIES = 200


@dataclass(frozen=True, slots=True)
class SlotAnswer:
    """``slot``: the first free time of ``length`` ms from ``after`` on, None where there is none up to ``until``.
    ``in_the_way``: what is booked then and cannot go together with the change; ``frozen``: for how many ms in all no
    change of these CIs is let through; ``windows``: the maintenance windows that were kept to."""

    number: str
    revision: int
    after: int
    until: int
    length: int
    slot: SpanTold | None
    in_the_way: tuple[str, ...]
    frozen: int
    windows: tuple[str, ...]


def next_slot(
    projections: Projections, viewer: Viewer, number: str, length: int | None = None, after: int | None = None
) -> SlotAnswer:
    """The next free slot of a change. ``length`` (ms): as long as its longest window unless told; ``after`` (ms): now
    unless told. Raises NotFound, Invalid for a length of nothing or more than is looked through."""

    def work(tx: Reading) -> SlotAnswer:
        change, now = one_in(tx, number), projections.clock()
        if change.kind != CHANGE:
            raise NotFound(f"there is no change {number}")
        start = now if after is None else max(after, now)
        within = start, start + HORIZON
        wanted = _length(change, now) if length is None else length
        if not 0 < wanted <= HORIZON:
            message = f"must be more than nothing and at most {HORIZON // DAY} days"
            raise Invalid(f"length: {message}", errors=[{"path": "length", "message": message}])
        return _Looking(projections, viewer, tx, change, within, wanted, now).answer()

    as_seen(projections.store, viewer).read(lambda tx: one_in(tx, number))
    return projections.store.read(work)


def _length(change: Kept, now: int) -> int:
    booked = booking_of(replace(change, state="scheduled"), (0, now + HORIZON), now)
    return max((end - start for start, end in booked.spans if end is not None), default=0)


@dataclass(frozen=True, slots=True)
class _Looking:
    projections: Projections
    viewer: Viewer
    tx: Reading
    change: Kept
    within: Interval
    length: int
    now: int

    def answer(self) -> SlotAnswer:
        view = asked_graph(self.projections, self.viewer, self.tx, None, None)
        mine = booking_of(self.change, self.within, self.now)
        others = bookings(self.tx, self.within, self.now, but=[self.change.number])
        over = overlaps_of(view, Teller.of(view), mine, others)
        alone = over.collisions({frozenset((one.number,)): one.spans for one in others})
        apart = {one.number for one in over.touching()} | {name for one in alone for name in one.numbers}
        covers = covering(self.tx, self.projections, self.viewer.kinds, self.change.cis.get("changed", ()), self.now)
        calendar = Calendar.read(self.tx, covers)
        frozen = calendar.frozen(self.within, emergency=self.change.body.get("type") == "emergency")
        busy = union(frozen, self._busy(one for one in others if one.number in apart))
        allowed = calendar.allowed(self.within)
        slot: Span | None = None
        for _ in range(TRIES):
            slot = _first(difference(allowed, busy), self.length)
            if slot is None:
                break
            meeting = over.collisions(pieces([slot], others))
            if not meeting:
                break
            apart |= {name for one in meeting for met in one.meetings for name in met.numbers}
            busy = union(
                busy, normalise((one.start, one.end or self.within[1]) for each in meeting for one in each.spans)
            )
            slot = None
        return SlotAnswer(
            self.change.number, view.projection.revision, *self.within, self.length,
            None if slot is None else SpanTold(*slot), tuple(sorted(apart)), total(frozen),
            tuple(sorted(one.number for one, _ in calendar.maintenance)),
        )  # fmt: skip

    def _busy(self, booked: Iterable[Booking]) -> Intervals:
        end = self.within[1]
        return normalise((start, end if finish is None else finish) for one in booked for start, finish in one.spans)


def _first(free: Sequence[Interval], length: int) -> Interval | None:
    """The beginning of the first that is long enough."""
    return next(((start, start + length) for start, end in free if end - start >= length), None)
