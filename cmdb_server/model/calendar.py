"""Windows: once, or again and again by an RRULE (RFC 5545) in a time zone.

A recurring window is meant by the clock on the wall, its start and its end alike: 22:00 to 06:00 is that on every
night of the year. A time that the clock leaves out is read with the offset from before the gap, one that it shows
twice is the first of the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from cmdb_server.errors import Invalid
from cmdb_server.model import instants, recurrence
from cmdb_server.model.intervals import Interval, Intervals, intersection, normalise

MOST_OCCURRENCES = 20_000
EARLIEST, LATEST = 0, instants.parse("2500-01-01T00:00:00Z")
"""What a window may lie between: far from where the arithmetic of dates ends."""
_KEYS = ("start", "end", "rrule", "zone")
_SPARE, _SPARE_MS = timedelta(days=2), 2 * 86_400_000
"""More than any two offsets differ by."""
_CHUNK_MS = 1 << 32
"""About 50 days."""
LONGEST_MS = 366 * 86_400_000
"""How long a window that comes again may last."""


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in ms; with a ``rule`` it comes again by the clock of ``zone``."""

    start: int
    end: int
    rule: str | None = None
    zone: str = "UTC"

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

    def _all(self, within: Interval) -> Iterator[Interval]:
        if self.rule is None:
            found = iter(((self.start, self.end),))
        else:
            low = max(self.start, within[0] - (self.end - self.start) - _SPARE_MS)
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
    starts = recurrence.starts(recurring.rule or "", first, zone, since - _SPARE, until + _SPARE)
    found = ((_utc(start, zone), _utc(start + length, zone)) for start in starts)
    return tuple(one for one in found if begin <= one[0] < end and one[0] < one[1])


def window(told: Mapping[str, Any], path: str = "") -> Window:
    """The window that ``{"start", "end", "rrule", "zone"}`` tells: RFC 3339 times; the zone's name is IANA's. Raises
    Invalid with the paths of all that is wrong, below ``path``."""
    faults = [(key, "unknown") for key in told if key not in _KEYS]
    start, end = (_time(told, key, faults) for key in ("start", "end"))
    zone = _known(told.get("zone", "UTC"), faults)
    if start is not None and end is not None and end <= start:
        faults.append(("end", "is not after its start"))
    rule = told.get("rrule")
    if not faults and rule is not None and start is not None and end is not None and end - start > LONGEST_MS:
        faults.append(("end", "is more than a year after its start, for a window that comes again"))
    if not faults and rule is not None and start is not None:
        try:
            recurrence.check(rule, _wall(start, zone_of(zone)), zone_of(zone))
        except ValueError as error:
            faults.append(("rrule", str(error)))
    if faults or start is None or end is None:
        raise _invalid(path, faults)
    return Window(start, end, rule, zone)


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
