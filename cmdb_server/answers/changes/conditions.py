"""Whether a change keeps to the calendar: freezes it lies in, and the maintenance windows of what it changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cmdb_schemas.ci_class import CIClass
from cmdb_server.answers.lives import Lives
from cmdb_server.answers.selected import selected
from cmdb_server.answers.spans import SpanTold, spans_told
from cmdb_server.model import calendar
from cmdb_server.model.intervals import Interval, Intervals, difference, intersection, total, union
from cmdb_server.practices.booked import windows_of
from cmdb_server.practices.kept_rows import Kept, all_in
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading
from cmdb_server.store.tables import CI

FREEZE, MAINTENANCE, IN_FORCE = "freeze", "maintenance_window", "in_force"
Covers = Callable[[Kept], Collection[str]]
"""Which of the CIs that are changed an entry of the calendar is about."""


@dataclass(frozen=True, slots=True)
class FreezeTold:
    """A freeze in which it lies, during ``spans``, for these of its CIs. ``emergencies``: it lets such through."""

    number: str
    summary: str
    spans: tuple[SpanTold, ...]
    cis: tuple[str, ...]
    emergencies: bool


@dataclass(frozen=True, slots=True)
class Conditions:
    """``in_windows``: the share of its time that lies in the maintenance windows of every CI that has any; None where
    none has. ``outside``: the rest of the time. ``windows``: the numbers of those that are about its CIs.
    ``freezes_now``: those in which it would lie, were it begun as it was assessed."""

    freezes: tuple[FreezeTold, ...]
    in_windows: float | None
    outside: tuple[SpanTold, ...]
    windows: tuple[str, ...]
    freezes_now: tuple[FreezeTold, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """The freezes and maintenance windows in force, each with the CIs of a change that it is about."""

    freezes: Sequence[tuple[Kept, frozenset[str]]]
    maintenance: Sequence[tuple[Kept, frozenset[str]]]

    @classmethod
    def read(cls, tx: Reading, covers: Covers) -> Calendar:
        """Those that are about any of the CIs."""
        told = (
            [(one, frozenset(found)) for one in all_in(tx, kind, (IN_FORCE,)) if (found := covers(one))]
            for kind in (FREEZE, MAINTENANCE)
        )  # fmt: skip
        return cls(*told)

    def conditions(self, spans: Intervals, now: int) -> Conditions:
        """How these times lie. Begun now, it takes the rest of the time that it is booked for, or one of its times."""
        ends = [end for start, end in spans if start <= now < end] or [now + max(end - start for start, end in spans)]
        outside = self.outside(spans)
        whole = total(spans)
        share = None if not self.maintenance or not whole else 1 - total(outside) / whole
        windows = tuple(sorted({one.number for one, _ in self.maintenance}))
        frozen, at_once = tuple(self._frozen(spans)), tuple(self._frozen(((now, ends[0]),)))
        return Conditions(frozen, share, spans_told(outside), windows, at_once)

    def frozen(self, within: Interval, *, emergency: bool) -> Intervals:
        """The times that are frozen for any of the CIs."""
        held = (one for one, _ in self.freezes if not (emergency and lets_through(one)))
        return union(*(calendar.expand(windows_of(one), within) for one in held))

    def outside(self, spans: Intervals) -> Intervals:
        """The times in which some CI that has maintenance windows is in none of them."""
        if not spans or not self.maintenance:
            return ()
        return union(*(difference(spans, allowed) for allowed in self._allowed((spans[0][0], spans[-1][1])).values()))

    def allowed(self, within: Interval) -> Intervals:
        """The times in which all CIs may be changed, freezes aside; all of it where no windows are kept."""
        times: Intervals = (within,)
        for one in self._allowed(within).values():
            times = intersection(times, one)
        return times

    def _allowed(self, within: Interval) -> Mapping[str, Intervals]:
        by_ci: dict[str, Intervals] = {}
        for one, cis in self.maintenance:
            times = calendar.expand(windows_of(one), within)
            by_ci |= {ci: union(by_ci.get(ci, ()), times) for ci in cis}
        return by_ci

    def _frozen(self, spans: Intervals) -> Iterator[FreezeTold]:
        for one, cis in self.freezes:
            times = intersection(spans, calendar.expand(windows_of(one), (spans[0][0], spans[-1][1]))) if spans else ()
            if times:
                summary = str(one.body.get("summary", ""))
                yield FreezeTold(one.number, summary, spans_told(times), tuple(sorted(cis)), lets_through(one))


def lets_through(freeze: Kept) -> bool:
    """Whether emergencies may go on in it."""
    return bool(freeze.body.get("emergencies", True))


def covering(
    tx: Reading, projections: Projections, kinds: Mapping[str, CIClass], cis: Iterable[str], now_ms: int
) -> Covers:
    """For the CIs of a change, by their present ids: those that an entry names or selects; all, where it does neither.
    What a selector cannot tell for certain it does not select."""
    mine = frozenset(cis)
    rows = list(tx.get(CI, [(id_,) for id_ in sorted(mine)]).values())
    lives = Lives(tx, now_ms, kinds)
    lives.load(row[0] for row in rows)

    def covers(entry: Kept) -> Collection[str]:
        named = frozenset(id_ for ids in entry.cis.values() for id_ in ids)
        text = entry.body.get("selector")
        if not named and not text:
            return mine
        chosen = selected(text, projections, kinds).holding(tx, rows, lives, None, now_ms) if text else []
        return (named & mine) | {row[0] for row in chosen}

    return covers
