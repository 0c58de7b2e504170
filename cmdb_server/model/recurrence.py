"""RRULEs of RFC 5545: days that come again, at one time of the day or several. A rule's frequency is a day or longer.

Weeks of the year (BYWEEKNO) are not read: the library takes days of 52 weeks for such of a 53rd.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import dropwhile, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

LONGEST = 512
_TIMES = {"BYHOUR": 23, "BYMINUTE": 59, "BYSECOND": 59}
"""The parts that tell times of the day, and the largest number of each."""
MOST_A_DAY = 48
_DAYS_OF = ("BYDAY", "BYMONTHDAY", "BYYEARDAY")
_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYSETPOS", "WKST"} | set(_DAYS_OF) | _TIMES.keys()
)
_LAST = "25000101T000000"
"""Windows do not lie beyond: a rule that does not come before then never does."""
_LARGEST_SET = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
"""How many days one period has at most, from which BYSETPOS chooses."""
_LENGTH = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7)}
_UNTIL = re.compile(r"\d{8}(T\d{6}Z?)?", re.ASCII)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NUMBER = re.compile(r"[+-]?\d{1,4}", re.ASCII)
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)


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
        parts = _parts(text)
        _check_values(parts)
        told = {name: value for name, value in parts.items() if name != "COUNT"}
        found = next(iter(_rule(told, first, zone)), None)
    except ValueError as error:
        return str(error)
    return "never comes" if found is None else ""


def starts(text: str, first: datetime, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """When it begins by the clock of the zone, of all times from ``first`` on those from ``since`` to ``until``."""
    rest = timedelta(microseconds=first.microsecond)  # which the library drops
    begin = max(since, first)
    parts, moved = _moved(_parts(text), first, begin)
    found = (start + rest for start in _rule(parts, moved, zone))
    return takewhile(lambda start: start <= until, dropwhile(lambda start: start < begin, found))


def _moved(parts: dict[str, str], first: datetime, since: datetime) -> tuple[dict[str, str], datetime]:
    """The rule as if it began shortly before ``since``, with all that it takes from its beginning told: otherwise
    every time since then would be gone through. One that counts has to be."""
    every, freq = int(parts.get("INTERVAL", "1")), parts["FREQ"]
    if "COUNT" in parts:
        return parts, first
    if freq in _LENGTH:
        step = _LENGTH[freq] * every
        return parts, first + max((since - first) // step - 1, 0) * step
    told = dict(parts)
    if not told.keys() & set(_DAYS_OF):
        told["BYMONTHDAY"] = str(first.day)
        if freq == "YEARLY":
            told.setdefault("BYMONTH", str(first.month))
    if freq == "YEARLY":
        periods = (since.year - first.year) // every - 1
        return (
            (told, first.replace(year=first.year + periods * every, month=1, day=1)) if periods > 0 else (told, first)
        )
    months = 12 * (since.year - first.year) + since.month - first.month
    periods = months // every - 1
    if periods <= 0:
        return told, first
    year, month = divmod(12 * first.year + first.month - 1 + periods * every, 12)
    return told, first.replace(year=year, month=month + 1, day=1)


def _rule(parts: dict[str, str], first: datetime, zone: ZoneInfo) -> rrule:
    try:
        found = rrulestr(_local(parts, zone), dtstart=first)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"is no RRULE: {error}") from None
    if not isinstance(found, rrule):
        raise ValueError("must be one rule")  # noqa: TRY004
    return found


def _parts(text: str) -> dict[str, str]:
    """The parts of the rule, which may be told as the line of a calendar, with its name."""
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").split(";"):
        name, _, value = part.partition("=")
        if name not in _PARTS or not value:
            raise ValueError(f"{part or 'an empty part'} is not read: {', '.join(sorted(_PARTS))} are")
        if name in parts:
            raise ValueError(f"{name} is told twice")
        parts[name] = value
    if parts.get("FREQ") not in _LARGEST_SET:
        raise ValueError(f"FREQ must be one of {', '.join(_LARGEST_SET)}")
    return parts


def _local(parts: dict[str, str], zone: ZoneInfo) -> str:
    """The rule with its UNTIL by the zone's clock, as the days it makes are."""
    told = dict(parts)
    until = told.get("UNTIL", "")
    if until and not _UNTIL.fullmatch(until):
        raise ValueError("UNTIL must be such as 20261231 or 20261231T220000Z")
    if until.endswith("Z"):
        moment = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        told["UNTIL"] = moment.astimezone(zone).strftime("%Y%m%dT%H%M%S")
    elif len(until) == 8:
        told["UNTIL"] = (datetime.strptime(until, "%Y%m%d") + timedelta(days=1, seconds=-1)).strftime("%Y%m%dT%H%M%S")  # noqa: DTZ007
    elif not until and "COUNT" not in told:
        told["UNTIL"] = _LAST
    return ";".join(f"{name}={value}" for name, value in told.items())


def _check_values(parts: dict[str, str]) -> None:
    """What the library would take and then search for until the end of all years."""
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("COUNT and UNTIL exclude each other")
    freq = parts["FREQ"]
    _numbers(parts, "INTERVAL", 1, 1000)
    _numbers(parts, "COUNT", 1, 10_000)
    months = _numbers(parts, "BYMONTH", 1, 12)
    days = _numbers(parts, "BYMONTHDAY", -31, 31)
    if _numbers(parts, "BYYEARDAY", -366, 366) and freq != "YEARLY":
        raise ValueError("BYYEARDAY is for FREQ=YEARLY")
    largest = min(_LARGEST_SET[freq] * _times_a_day(parts), 366)
    _numbers(parts, "BYSETPOS", -largest, largest)
    for word in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        found = _WEEKDAY.fullmatch(word)
        most = {"MONTHLY": 5, "YEARLY": 5 if months else 53}.get(freq, 0)
        if found is None or (found[1] is not None and not 1 <= abs(int(found[1])) <= most):
            raise ValueError(f"BYDAY {word} is no day, such as SA or, each month or year, 1SA")
    if days and min(abs(day) for day in days) > max(_DAYS[month - 1] for month in months or range(1, 13)):
        raise ValueError("never comes: these months have no such day")


def _times_a_day(parts: dict[str, str]) -> int:
    found = 1
    for name, most in _TIMES.items():
        found *= max(1, len(set(_numbers(parts, name, 0, most))))
    if found > MOST_A_DAY:
        raise ValueError(f"comes {found} times a day: at most {MOST_A_DAY}")
    return found


def _numbers(parts: dict[str, str], name: str, low: int, high: int) -> list[int]:
    """Of what counts from its beginning, 0 is none."""
    found = []
    for word in parts[name].split(",") if name in parts else ():
        if not _NUMBER.fullmatch(word) or not low <= int(word) <= high or (int(word) == 0 and low):
            raise ValueError(f"{name} {word} is not between {low} and {high}{', or 0' if low else ''}")
        found.append(int(word))
    return found
