"""Windows: once, or again and again by an RRULE (RFC 5545) in a time zone.

A recurring window is meant by the clock on the wall, its start and its end alike: 22:00 to 06:00 is that on every
night of the year. A time that the clock leaves out is read with the offset from before the gap, one that it shows
twice is the first of the two. As calendars have it, single times may be left out and others added (EXDATE, RDATE).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import chain, islice
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from cmdb_server.errors import Invalid
from cmdb_server.model import calendar_dates, instants, recurrence
from cmdb_server.model.intervals import Interval, Intervals, intersection, normalise

T = TypeVar("T")
MOST_OCCURRENCES = 20_000
EARLIEST, LATEST = 0, instants.parse("2500-01-01T00:00:00Z")
"""What a window may lie between: far from where the arithmetic of dates ends."""
_KEYS = ("start", "end", "rrule", "zone", "exdate", "rdate")
_SPARE, _SPARE_MS = timedelta(days=2), 2 * 86_400_000
"""More than any two offsets differ by."""
_CHUNK_MS = 1 << 32
"""About 50 days."""
LONGEST_MS = 366 * 86_400_000
"""How long a window that comes again may last."""


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in ms; with a ``rule`` it comes again by the clock of ``zone``. ``also``: when it starts beside that
    (ms); ``without``: what starts in these times is left out."""

    start: int
    end: int
    rule: str | None = None
    zone: str = "UTC"
    also: tuple[int, ...] = ()
    without: Intervals = ()

    def intervals(self, within: Interval, most: int = MOST_OCCURRENCES) -> Intervals:
        """Its times that lie, wholly or in part, within [start, end): as they are, not cut off. Raises Invalid when
        that is more than ``most`` occurrences."""
        return normalise(self.occurrences(within, most))

    def occurrences(self, within: Interval, most: int = MOST_OCCURRENCES) -> Iterator[Interval]:
        """Its occurrences in order of their start, as ``intervals`` but not merged where they overlap."""
        for count, one in enumerate(self._all(within)):
            if count >= most:
                message = f"comes more than {most} times in that time: ask for less"
                raise Invalid(f"rrule: {message}", errors=[{"path": "rrule", "message": message}])
            yield one

    def keeps(self, start: int) -> bool:
        """Whether what starts then was not left out."""
        return not any(a <= start < b for a, b in self.without)

    def _all(self, within: Interval) -> Iterator[Interval]:
        if self.rule is None and not self.also and not self.without:
            found = iter(((self.start, self.end),))
        else:
            low = max(min((self.start, *self.also)), within[0] - (self.end - self.start) - _SPARE_MS)
            chunks = range(low // _CHUNK_MS, min(within[1], LATEST) // _CHUNK_MS + 1)
            found = (one for chunk in chunks for one in _starting(self, chunk))
        return (one for one in found if max(one[0], within[0]) < min(one[1], within[1]))


@lru_cache(65536)
def _starting(recurring: Window, chunk: int) -> Intervals:
    """The occurrences that start in one chunk of all time: what is asked again and again is made once."""
    zone, begin, end = zone_of(recurring.zone), chunk * _CHUNK_MS, (chunk + 1) * _CHUNK_MS
    first = _wall(recurring.start, zone)
    length = _wall(recurring.end, zone) - first
    since, until = (_wall(min(max(edge, EARLIEST), LATEST), zone) for edge in (begin, end))
    starts: Iterable[datetime] = (first,)
    if recurring.rule is not None:
        starts = recurrence.starts(recurring.rule, first, zone, since - _SPARE, until + _SPARE)
    walls = {*starts, *(_wall(one, zone) for one in recurring.also if begin <= one < end)}
    found = ((_utc(start, zone), _utc(start + length, zone)) for start in sorted(walls))
    return tuple(one for one in found if begin <= one[0] < end and one[0] < one[1] and recurring.keeps(one[0]))


def window(told: Mapping[str, Any], path: str = "") -> Window:
    """The window that ``{"start", "end", "rrule", "zone", "exdate", "rdate"}`` tells: RFC 3339 times; the zone's name is
    IANA's; days and times as ``calendar_dates`` reads them. Raises Invalid with the paths of all that is wrong, below
    ``path``."""
    faults = [(key, "unknown") for key in told if key not in _KEYS]
    start, end = (_time(told, key, faults) for key in ("start", "end"))
    zone = _known(told.get("zone", "UTC"), faults)
    if start is not None and end is not None and end <= start:
        faults.append(("end", "is not after its start"))
    if faults or start is None or end is None:
        raise _invalid(path, faults)
    rule, clock = told.get("rrule"), zone_of(zone)
    first = _wall(start, clock)
    also = _dates(told, "rdate", lambda one: _utc(calendar_dates.start(one, clock, first.time()), clock), faults)
    without = _dates(told, "exdate", lambda one: calendar_dates.left_out(one, clock), faults)
    if (rule is not None or also) and end - start > LONGEST_MS:
        faults.append(("end", "is more than a year after its start, for a window that comes again"))
    if rule is not None:
        try:
            recurrence.check(rule, first, clock)
        except ValueError as error:
            faults.append(("rrule", str(error)))
    made = Window(start, end, rule, zone, also, normalise(without))
    if not faults and without and not _comes(made):
        faults.append(("exdate", "leaves out every time that it comes"))
    if faults:
        raise _invalid(path, faults)
    return made


def _dates(
    told: Mapping[str, Any], key: str, read: Callable[[object], T], faults: list[tuple[str, str]]
) -> tuple[T, ...]:
    """What a list of days and times tells, each read by ``read``."""
    given, found = told.get(key) or (), []
    if not isinstance(given, list | tuple) or len(given) > calendar_dates.MOST:
        faults.append((key, f"must be a list of at most {calendar_dates.MOST} days or times"))
        return ()
    for place, one in enumerate(given):
        try:
            found.append(read(one))
        except ValueError as error:
            faults.append((f"{key}[{place}]", str(error)))
    return tuple(found)


def _comes(window: Window) -> bool:
    """Whether any time is left: no day that is left out has more than so many."""
    zone = zone_of(window.zone)
    first, last = _wall(window.start, zone), _wall(LATEST, zone)
    starts = iter((first,)) if window.rule is None else recurrence.starts(window.rule, first, zone, first, last)
    most = (len(window.without) + 1) * recurrence.MOST_A_DAY
    return any(map(window.keeps, chain(window.also, (_utc(one, zone) for one in islice(starts, most)))))


def _time(told: Mapping[str, Any], key: str, faults: list[tuple[str, str]]) -> int | None:
    try:
        found = instants.parse(told.get(key))
    except ValueError as error:
        faults.append((key, str(error)))
        return None
    if not EARLIEST <= found < LATEST:
        faults.append((key, "must lie between 1970 and 2500"))
    return found


def _known(name: object, faults: list[tuple[str, str]]) -> str:
    if isinstance(name, str) and name in zones():
        return name
    faults.append(("zone", f"unknown time zone {name!r}: write an IANA name such as Europe/Berlin"))
    return "UTC"


def _invalid(path: str, faults: Iterable[tuple[str, str]]) -> Invalid:
    errors = [{"path": f"{path}.{key}" if path else key, "message": message} for key, message in faults]
    return Invalid("; ".join(f"{one['path']}: {one['message']}" for one in errors), errors=errors)


@cache
def zones() -> frozenset[str]:
    """The names of all zones there are."""
    return frozenset(available_timezones())


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises KeyError for an unknown one."""
    return ZoneInfo(name)


def _wall(ms: int, zone: ZoneInfo) -> datetime:
    """What the clock of a zone shows."""
    return instants.moment(ms).astimezone(zone).replace(tzinfo=None, fold=0)


def _utc(wall: datetime, zone: ZoneInfo) -> int:
    return instants.of_moment(wall.replace(tzinfo=zone).astimezone(UTC))


def expand(windows: Iterable[Window], within: Interval, most: int = MOST_OCCURRENCES) -> Intervals:
    """The times of any of the windows, cut off at the ends of ``within``."""
    found = normalise(one for each in windows for one in each.occurrences(within, most))
    return intersection(found, normalise([within]))
