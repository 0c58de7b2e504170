"""An RRULE of RFC 5545 as it is told: its parts, which values they may have, and what the first time adds to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo

LAST = datetime(2500, 1, 1)  # noqa: DTZ001  the clock on the wall
"""Windows do not lie beyond: a rule that does not come before then never does."""
MOST_A_DAY = 48
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_TIMES = {"BYHOUR": 23, "BYMINUTE": 59, "BYSECOND": 59}
"""The parts that tell times of the day, and the largest number of each."""
_DAYS_OF = ("BYDAY", "BYMONTHDAY", "BYYEARDAY")
_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYWEEKNO", "BYSETPOS", "WKST"} | set(_DAYS_OF) | _TIMES.keys()
)
_LARGEST_SET = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 371}
"""How many days one period has at most, from which BYSETPOS chooses: a year of weeks has 53."""
_UNTIL = re.compile(r"\d{8}(T\d{6}Z?)?", re.ASCII)
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NUMBER = re.compile(r"[+-]?\d{1,4}", re.ASCII)
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Days:
    """Which days of a period are meant; a part that is empty leaves all of them. ``weekdays``: (which one of the month
    or year, 0 for each; 0 for Monday). ``by_month``: which one of the month. ``week_start``: 0 for Monday."""

    months: frozenset[int]
    weeks: frozenset[int]
    year_days: frozenset[int]
    month_days: frozenset[int]
    weekdays: frozenset[tuple[int, int]]
    by_month: bool
    week_start: int


@dataclass(frozen=True, slots=True)
class Rule:
    """Every ``interval`` periods, at all ``times`` of the ``days``, or at those of them that ``positions`` choose."""

    freq: str
    interval: int
    days: Days
    times: tuple[time, ...]
    positions: frozenset[int]
    count: int | None
    until: datetime


@lru_cache(16384)
def read(text: str, first: datetime, zone: ZoneInfo) -> Rule:
    """The rule of a text, which may be the line of a calendar, with its name. ``first``: by the clock of the zone, and
    what the text leaves open. Raises ValueError in words for what is no rule or is not read here."""
    parts = _parts(text)
    _check(parts)
    freq, days = parts["FREQ"], _days(parts, first)
    positions = frozenset(_numbers(parts, "BYSETPOS", -371 * MOST_A_DAY, 371 * MOST_A_DAY))
    times = _times(parts, first)
    _check_positions(freq, days, times, positions)
    return Rule(
        freq, int(parts.get("INTERVAL", "1")), days, times, positions,
        int(parts["COUNT"]) if "COUNT" in parts else None, _until(parts.get("UNTIL"), zone),
    )  # fmt: skip


def _parts(text: str) -> dict[str, str]:
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


def _check(parts: dict[str, str]) -> None:
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("COUNT and UNTIL exclude each other")
    for name in ("BYYEARDAY", "BYWEEKNO"):
        if name in parts and parts["FREQ"] != "YEARLY":
            raise ValueError(f"{name} is for FREQ=YEARLY")
    if parts.get("WKST", "MO") not in WEEKDAYS:
        raise ValueError(f"WKST {parts['WKST']} is none of {', '.join(WEEKDAYS)}")
    _numbers(parts, "INTERVAL", 1, 1000, several=False)
    _numbers(parts, "COUNT", 1, 10_000, several=False)
    _check_weekdays(parts)


def _check_weekdays(parts: dict[str, str]) -> None:
    most = {"MONTHLY": 5, "YEARLY": 5 if "BYMONTH" in parts else 53}.get(parts["FREQ"], 0)
    if "BYWEEKNO" in parts:
        most = 0
    for word in parts["BYDAY"].split(",") if "BYDAY" in parts else ():
        found = _WEEKDAY.fullmatch(word)
        if found is None or (found[1] is not None and not 1 <= abs(int(found[1])) <= most):
            raise ValueError(f"BYDAY {word} is no day, such as SA or, each month or year, 1SA")


def _check_positions(freq: str, days: Days, times: tuple[time, ...], positions: frozenset[int]) -> None:
    """What is known of every period without looking at one."""
    most = _LARGEST_SET[freq] * len(times)
    if any(abs(place) > most for place in positions):
        raise ValueError(f"BYSETPOS: a period of FREQ={freq} has {most} times at most")
    lengths = [_LENGTHS[month - 1] for month in days.months or range(1, 13)]
    if days.month_days and min(map(abs, days.month_days)) > max(lengths):
        raise ValueError("never comes: these months have no such day")


def _days(parts: dict[str, str], first: datetime) -> Days:
    """With what the text leaves open taken from the first time, as RFC 5545 has it."""
    freq = parts["FREQ"]
    months = frozenset(_numbers(parts, "BYMONTH", 1, 12))
    month_days = frozenset(_numbers(parts, "BYMONTHDAY", -31, 31))
    weekdays = frozenset(_weekday(word) for word in parts["BYDAY"].split(",")) if "BYDAY" in parts else frozenset()
    if not parts.keys() & set(_DAYS_OF):
        if freq == "WEEKLY" or "BYWEEKNO" in parts:
            weekdays = frozenset({(0, first.weekday())})
        elif freq in ("MONTHLY", "YEARLY"):
            month_days = frozenset({first.day})
            months = months or (frozenset({first.month}) if freq == "YEARLY" else months)
    return Days(
        months, frozenset(_numbers(parts, "BYWEEKNO", -53, 53)), frozenset(_numbers(parts, "BYYEARDAY", -366, 366)),
        month_days, weekdays, freq == "MONTHLY" or "BYMONTH" in parts, WEEKDAYS.index(parts.get("WKST", "MO")),
    )  # fmt: skip


def _weekday(word: str) -> tuple[int, int]:
    return int(word[:-2] or 0), WEEKDAYS.index(word[-2:])


def _times(parts: dict[str, str], first: datetime) -> tuple[time, ...]:
    """Times of a day, in order. What is less than a second is the first one's: no rule tells it."""
    open_ = (first.hour, first.minute, first.second)
    told = [
        sorted(set(_numbers(parts, name, 0, most))) or [now]
        for (name, most), now in zip(_TIMES.items(), open_, strict=True)
    ]
    found = tuple(time(hour, minute, second, first.microsecond) for hour, minute, second in product(*told))
    if len(found) > MOST_A_DAY:
        raise ValueError(f"comes {len(found)} times a day: at most {MOST_A_DAY}")
    return found


def _until(told: str | None, zone: ZoneInfo) -> datetime:
    """The last time at which it may start, by the zone's clock; a day counts in whole."""
    if told is None:
        return LAST
    if not _UNTIL.fullmatch(told):
        raise ValueError("UNTIL must be such as 20261231 or 20261231T220000Z")
    try:
        if len(told) == 8:
            return datetime.strptime(told, "%Y%m%d") + timedelta(days=1, microseconds=-1)  # noqa: DTZ007
        found = datetime.strptime(told[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007
        if told.endswith("Z"):
            found = found.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None, fold=0)
    except (ValueError, OverflowError):
        raise ValueError(f"UNTIL {told} is no time") from None
    return found + timedelta(microseconds=999_999)


def _numbers(parts: dict[str, str], name: str, low: int, high: int, *, several: bool = True) -> list[int]:
    """Of what counts from its beginning, 0 is none."""
    found = []
    words = parts[name].split(",") if name in parts else []
    if len(words) > 1 and not several:
        raise ValueError(f"{name} is one number")
    for word in words:
        if not _NUMBER.fullmatch(word) or not low <= int(word) <= high or (int(word) == 0 and low):
            raise ValueError(f"{name} {word} is not between {low} and {high}{', or 0' if low else ''}")
        found.append(int(word))
    return found
