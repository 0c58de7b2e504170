"""When an RRULE of RFC 5545 comes: days that come again, at one time of the day or several.

Which days of a year a rule means follows from a year's shape alone: the weekday on which it begins, and which of it and
its neighbours are leap years. There are 28 shapes. So a rule that never comes is known after looking at so many, and
one that began long ago is gone through from where it is asked about.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import dropwhile, groupby, islice, takewhile
from operator import itemgetter
from typing import TypeAlias
from zoneinfo import ZoneInfo

from cmdb_server.model.recurrence_rule import LAST, MOST_A_DAY, Days, Rule, read

__all__ = ["LONGEST", "MOST_A_DAY", "check", "starts"]

LONGEST = 512
_DAY = timedelta(days=1)
_LONGEST = {"DAILY": 0, "WEEKLY": 6, "MONTHLY": 31, "YEARLY": 371}
"""How many days of a period may lie before one of its days."""
ALL_SHAPES = 41
"""Among so many years that follow one another are all shapes."""
Day: TypeAlias = tuple[int, int]
"""The number of the period in which a day is counted, and its ordinal."""


def check(text: object, first: datetime, zone: ZoneInfo) -> None:
    """Raise ValueError, in words, for what is no rule, is not read here, or never comes when it begins at ``first``."""
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
        raise ValueError("must be an RRULE such as FREQ=WEEKLY;BYDAY=SA")
    if fault := _fault(text, first, zone):
        raise ValueError(fault)


@lru_cache(16384)
def _fault(text: str, first: datetime, zone: ZoneInfo) -> str:
    """What is wrong with it, or an empty text."""
    try:
        rule = read(text, first, zone)
    except ValueError as error:
        return str(error)
    if rule.interval == 1:
        rule = replace(rule, until=min(rule.until, datetime(first.year + ALL_SHAPES, 12, 31)))  # noqa: DTZ001
    return "never comes" if next(_times(rule, first, first), None) is None else ""


def starts(text: str, first: datetime, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """When it begins by the clock of the zone, of all times from ``first`` on those from ``since`` to ``until``."""
    rule = read(text, first, zone)
    found = _times(rule, first, first if rule.count is not None else max(since, first))
    return takewhile(lambda start: start <= until, dropwhile(lambda start: start < since, islice(found, rule.count)))


def _times(rule: Rule, first: datetime, since: datetime) -> Iterator[datetime]:
    """All times from ``since`` on, as if none was counted."""
    fewest = min((abs(place) for place in rule.positions), default=1)
    for _, days in groupby(_days(rule, first, since), itemgetter(0)):
        ordinals = [ordinal for _, ordinal in days]
        if len(ordinals) * len(rule.times) < fewest:
            continue
        found = [datetime.combine(datetime.fromordinal(day), at) for day in ordinals for at in rule.times]
        if rule.positions:
            found = _chosen(rule.positions, found)
        if found and found[0] > rule.until:
            return
        yield from (one for one in found if since <= one <= rule.until)


def _chosen(positions: Collection[int], found: Sequence[datetime]) -> list[datetime]:
    places = {place - 1 if place > 0 else len(found) + place for place in positions}
    return [found[place] for place in sorted(places) if 0 <= place < len(found)]


def _days(rule: Rule, first: datetime, since: datetime) -> Iterator[Day]:
    """The days of the periods in which it comes, in order, from the beginning of the one in which ``since`` lies."""
    low = (since.date() - timedelta(days=_LONGEST[rule.freq])).toordinal()
    for year in range(date.fromordinal(low).year - 1, min(rule.until, LAST).year + 2):
        begin = date(year, 1, 1).toordinal()
        offsets = _offsets(rule.days, *_shape(year))
        yield from _in_turn(rule, first, year, begin, offsets[bisect_left(offsets, low - begin) :])


def _in_turn(rule: Rule, first: datetime, year: int, begin: int, offsets: Sequence[int]) -> list[Day]:
    """Those days of a year that lie in every so many periods."""
    every = rule.interval
    if rule.freq == "YEARLY":
        own = _year_of_week(first, rule.days.week_start) if rule.days.weeks else first.year
        return [] if (year - own) % every else [(year, begin + offset) for offset in offsets]
    if rule.freq == "MONTHLY":
        months, own = _MONTHS[_leap(year)], 12 * first.year + first.month
        told = ((12 * year + months[offset], begin + offset) for offset in offsets)
    else:
        length, shift = (1, 0) if rule.freq == "DAILY" else (7, 1 + rule.days.week_start)
        own = (first.toordinal() - shift) // length
        told = (((begin + offset - shift) // length, begin + offset) for offset in offsets)
    return [one for one in told if not (one[0] - own) % every]


# Days of a year --------------------------------------------------------------------------------------------------------


def _shape(year: int) -> tuple[int, bool, bool, bool]:
    """The weekday on which it begins; whether the year before, it and the one after are leap years."""
    return date(year, 1, 1).weekday(), _leap(year - 1), _leap(year), _leap(year + 1)


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


_LIKE = {_shape(year): year for year in range(1600, 2000)}
"""By shape a year that has it: the calendar comes again after 400 years."""
_MONTHS = [[(date(year, 1, 1) + offset * _DAY).month for offset in range(366)] for year in (1999, 2000)]
"""The month of each day of a year, and of a leap year."""


@lru_cache(8192)
def _offsets(days: Days, weekday: int, before: bool, leap: bool, after: bool) -> tuple[int, ...]:
    """The days that are meant in a year of this shape, 0 for the 1st of January, in order."""
    year = _LIKE[weekday, before, leap, after]
    begin = date(year, 1, 1)
    candidates = _weeks(days, year) if days.weeks else range(365 + leap)
    return tuple(offset for offset in candidates if _meant(days, begin + offset * _DAY))


def _weeks(days: Days, year: int) -> list[int]:
    """The days of the weeks that are meant, whole ones, whichever year the clock shows."""
    begin = date(year, 1, 1)
    first, last = (_first_week(each, days.week_start) for each in (year, year + 1))
    count = (last - first).days // 7
    numbers = {number if number > 0 else count + 1 + number for number in days.weeks}
    return [
        (first - begin).days + 7 * (number - 1) + day
        for number in sorted(numbers) if 1 <= number <= count
        for day in range(7)
    ]  # fmt: skip


def _first_week(year: int, week_start: int) -> date:
    """Where the first week begins that has at least four days in the year."""
    fourth = date(year, 1, 4)
    return fourth - (fourth.weekday() - week_start) % 7 * _DAY


def _year_of_week(day: datetime, week_start: int) -> int:
    return max(year for year in range(day.year - 1, day.year + 2) if _first_week(year, week_start) <= day.date())


def _meant(days: Days, day: date) -> bool:
    leap = _leap(day.year)
    of_year = day.timetuple().tm_yday
    length = (date(day.year + day.month // 12, day.month % 12 + 1, 1) - day.replace(day=1)).days
    return (
        (not days.months or day.month in days.months)
        and (not days.year_days or not days.year_days.isdisjoint((of_year, of_year - 366 - leap)))
        and (not days.month_days or not days.month_days.isdisjoint((day.day, day.day - length - 1)))
        and (not days.weekdays or _weekday_meant(days, day, of_year - 1, 365 + leap, length))
    )


def _weekday_meant(days: Days, day: date, of_year: int, year: int, month: int) -> bool:
    """Such a weekday, or the one of the month or the year that is told."""
    place, length = (day.day - 1, month) if days.by_month else (of_year, year)
    weekday = day.weekday()
    told = ((0, weekday), (place // 7 + 1, weekday), (-((length - 1 - place) // 7) - 1, weekday))
    return not days.weekdays.isdisjoint(told)
