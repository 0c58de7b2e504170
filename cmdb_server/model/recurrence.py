"""RRULEs of RFC 5545: days that come again. How often within a day is no matter of windows, so that a rule's frequency
is a day or longer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

LONGEST = 512
_PARTS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS", "WKST"})
_LARGEST_SET = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
"""How many days one period has at most, from which BYSETPOS chooses."""
_UNTIL = re.compile(r"\d{8}(T\d{6}Z?)?", re.ASCII)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NUMBER = re.compile(r"[+-]?\d{1,4}", re.ASCII)
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)


def check(text: object, first: datetime, zone: ZoneInfo) -> None:
    """Raise ValueError, in words, for what is no rule, is not read here, or never comes when it begins at ``first``."""
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
        raise ValueError("must be an RRULE such as FREQ=WEEKLY;BYDAY=SA")
    parts = _parts(text)
    _check_values(parts)
    if next(iter(_rule(text, first, zone)), None) is None:
        raise ValueError("never comes")


def starts(text: str, first: datetime, zone: ZoneInfo, until: datetime) -> Iterator[datetime]:
    """When it begins by the clock of the zone, from ``first`` on and not after ``until``."""
    rest = timedelta(microseconds=first.microsecond)  # which the library drops
    return takewhile(lambda start: start <= until, (start + rest for start in _rule(text, first, zone)))


@lru_cache(4096)
def _rule(text: str, first: datetime, zone: ZoneInfo) -> rrule:
    try:
        found = rrulestr(_local(_parts(text), zone), dtstart=first)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"is no RRULE: {error}") from None
    if not isinstance(found, rrule):
        raise ValueError("must be one rule")  # noqa: TRY004
    return found


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.upper().split(";"):
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
    return ";".join(f"{name}={value}" for name, value in told.items())


def _check_values(parts: dict[str, str]) -> None:
    """What the library would take and then search for until the end of all years."""
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("COUNT and UNTIL exclude each other")
    freq = parts["FREQ"]
    _numbers(parts, "INTERVAL", 1, 1000)
    _numbers(parts, "COUNT", 1, 100_000)
    months = _numbers(parts, "BYMONTH", 1, 12)
    days = _numbers(parts, "BYMONTHDAY", -31, 31)
    _numbers(parts, "BYSETPOS", -_LARGEST_SET[freq], _LARGEST_SET[freq])
    for word in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        found = _WEEKDAY.fullmatch(word)
        most = {"MONTHLY": 5, "YEARLY": 5 if months else 53}.get(freq, 0)
        if found is None or (found[1] is not None and not 1 <= abs(int(found[1])) <= most):
            raise ValueError(f"BYDAY {word} is no day, such as SA or, each month or year, 1SA")
    if days and min(abs(day) for day in days) > max(_DAYS[month - 1] for month in months or range(1, 13)):
        raise ValueError("never comes: these months have no such day")


def _numbers(parts: dict[str, str], name: str, low: int, high: int) -> list[int]:
    found = []
    for word in parts[name].split(",") if name in parts else ():
        if not _NUMBER.fullmatch(word) or not low <= int(word) <= high or int(word) == 0:
            raise ValueError(f"{name} {word} is not between {low} and {high}, or 0")
        found.append(int(word))
    return found
