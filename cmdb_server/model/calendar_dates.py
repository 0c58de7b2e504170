"""Single days and times of a recurring window: those that calendars list as EXDATE and RDATE.

Read as RFC 3339 has them (``2026-12-26``, ``2026-12-26T22:00:00+01:00``) and as iCalendar does (``20261226``,
``20261226T220000`` by the clock of the window's zone, ``20261226T210000Z``).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cmdb_server.model import instants
from cmdb_server.model.intervals import Interval

MOST = 500
_DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)", re.ASCII)
_TIME = re.compile(r"(\d{8})T(\d{6})(Z?)", re.ASCII)
_WORDS = "must be a day or a time, such as 2026-12-26, 2026-12-26T22:00:00+01:00 or 20261226T220000"


def start(told: object, zone: ZoneInfo, at: time) -> datetime:
    """What the clock of a zone shows as it starts; of a day, ``at``. Raises ValueError in words."""
    found = _read(told, zone)
    return found if isinstance(found, datetime) else datetime.combine(found, at)


def left_out(told: object, zone: ZoneInfo) -> Interval:
    """What starts within [start, end) in ms is left out: a whole day by the clock of a zone, or one second. Raises
    ValueError in words."""
    found = _read(told, zone)
    begin = found if isinstance(found, datetime) else datetime.combine(found, time())
    end = begin + (timedelta(seconds=1) if isinstance(found, datetime) else timedelta(days=1))
    first, last = (instants.of_moment(one.replace(tzinfo=zone).astimezone(UTC)) for one in (begin, end))
    return first, max(last, first + 1000)


def _read(told: object, zone: ZoneInfo) -> datetime | date:
    """A day, or what the clock of the zone shows."""
    if not isinstance(told, str):
        raise ValueError(_WORDS)  # noqa: TRY004  a fault of what was told
    if day := _DAY.fullmatch(told):
        return _near(date(int(day[1]), int(day[2]), int(day[3])))
    if when := _TIME.fullmatch(told):
        wall = datetime.strptime(f"{when[1]}{when[2]}", "%Y%m%d%H%M%S")  # noqa: DTZ007  the clock on the wall
        _near(wall.date())
        return _shown(wall.replace(tzinfo=UTC), zone) if when[3] else wall
    try:
        ms = instants.parse(told)
    except ValueError:
        raise ValueError(_WORDS) from None
    _near(instants.moment(ms).date())
    return _shown(instants.moment(ms), zone)


def _near(day: date) -> date:
    if not 1970 <= day.year < 2500:
        raise ValueError("must lie between 1970 and 2500")
    return day


def _shown(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)
