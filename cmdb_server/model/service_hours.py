"""Service hours as people write them, ``Mo-Fr 08:00-18:00, Sa 10:00-14:00 Europe/Berlin``, and as times.

They are meant by the clock on the wall, as recurring windows are (``calendar``). Hours that end before they begin go
on into the next day; ``24/7`` is always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from cmdb_server.errors import Invalid
from cmdb_server.model import instants
from cmdb_server.model.calendar import zone_of, zones
from cmdb_server.model.intervals import Interval, Intervals, intersection, normalise

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
ALWAYS = "24/7"
LONGEST_DAYS = 4000
"""How many days are expanded at once."""
_PART = re.compile(r"([A-Z][a-z])(?:-([A-Z][a-z]))? ([0-2]\d):([0-5]\d)-([0-2]\d):([0-5]\d)", re.ASCII)
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """``parts``: (weekdays from 0 for Monday, first minute of the day, last minute plus one, which may lie in the next
    day). None at all: always."""

    parts: tuple[tuple[frozenset[int], int, int], ...] = ()
    zone: str = "UTC"

    def intervals(self, within: Interval) -> Intervals:
        """The service hours of [start, end). Raises Invalid for more than ``LONGEST_DAYS`` days."""
        if not self.parts:
            return normalise([within])
        return intersection(normalise(self._all(within)), normalise([within]))

    def _all(self, within: Interval) -> Iterator[Interval]:
        zone = zone_of(self.zone)
        first, last = (instants.moment(edge).astimezone(zone).date() for edge in within)
        if (last - first).days > LONGEST_DAYS:
            raise Invalid(f"at most {LONGEST_DAYS} days of service hours at once")
        for ahead in range(-1, (last - first).days + 1):
            day = first + timedelta(days=ahead)
            for days, start, end in self.parts:
                if day.weekday() in days:
                    yield self._at(day, start), self._at(day, end)

    def _at(self, day: date, minute: int) -> int:
        wall = datetime.combine(day, time()) + timedelta(minutes=minute)
        return instants.of_moment(wall.replace(tzinfo=zone_of(self.zone)).astimezone(UTC))


@lru_cache(1024)
def hours(text: str, path: str = "service_hours") -> Hours:
    """The hours that a text tells. Raises Invalid with ``path``."""
    told, zone = _zoned(text.strip())
    if zone not in zones():
        raise _invalid(path, f"unknown time zone {zone!r}: write an IANA name such as Europe/Berlin")
    if told == ALWAYS:
        return Hours()
    return Hours(tuple(_part(part.strip(), path) for part in told.split(",")), zone)


def _zoned(text: str) -> tuple[str, str]:
    """The hours and their zone, which stands last and is UTC when it is not told."""
    rest, _, last = text.rpartition(" ")
    return (rest, last) if rest and not last[:1].isdigit() else (text, "UTC")


def _part(text: str, path: str) -> tuple[frozenset[int], int, int]:
    found = _PART.fullmatch(text)
    if found is None or found[1] not in DAYS or (found[2] or found[1]) not in DAYS:
        raise _invalid(path, f"{text!r} is not such as Mo-Fr 08:00-18:00")
    first, last = DAYS.index(found[1]), DAYS.index(found[2] or found[1])
    start, end = int(found[3]) * 60 + int(found[4]), int(found[5]) * 60 + int(found[6])
    if start >= _DAY_MINUTES or end > _DAY_MINUTES or start == end:
        raise _invalid(path, f"{text!r} has no such time, or no time at all")
    days = frozenset((first + ahead) % 7 for ahead in range((last - first) % 7 + 1))
    return days, start, end if end > start else end + _DAY_MINUTES


def _invalid(path: str, message: str) -> Invalid:
    return Invalid(f"{path}: {message}", errors=[{"path": path, "message": message}])
