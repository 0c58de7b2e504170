"""How many minutes a service may still be down, exactly: (1 - target) x service minutes - downtime in service hours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal, get_args

from cmdb_server.errors import Invalid
from cmdb_server.model import instants
from cmdb_server.model.calendar import zone_of
from cmdb_server.model.intervals import Interval, Intervals, intersection, normalise, total

MINUTE_MS = 60_000
Period = Literal["day", "week", "month", "quarter", "year"]


@dataclass(frozen=True, slots=True)
class Budget:
    """Of one period, in ms: its service hours, how long the service was down in them, and how long it may be."""

    service_ms: int
    down_ms: int
    allowed_ms: Fraction

    @property
    def left_ms(self) -> Fraction:
        """Negative when the target is missed."""
        return self.allowed_ms - self.down_ms

    @property
    def minutes_left(self) -> Fraction:
        return self.left_ms / MINUTE_MS


def budget(target: Fraction, service: Intervals, down: Iterable[Interval]) -> Budget:
    """``target``: 0 to 1; ``service``: the service hours of the period; ``down``: any intervals, that may overlap."""
    length = total(service)
    return Budget(length, total(intersection(service, normalise(down))), (1 - target) * length)


def target_of(percent: float | str, path: str = "availability_target") -> Fraction:
    """A target as it is told in percent, exactly as it is written: 99.9 is 999/1000. Raises Invalid."""
    try:
        found = Fraction(Decimal(str(percent))) / 100
    except (ArithmeticError, ValueError):
        found = Fraction(-1)
    if not 0 <= found <= 1:
        message = "must be a percentage from 0 to 100"
        raise Invalid(f"{path}: {message}", errors=[{"path": path, "message": message}])
    return found


def period_of(ms: int, period: Period, zone: str = "UTC") -> Interval:
    """The day, week (from Monday), month, quarter or year of a moment, by the clock of a zone."""
    if period not in get_args(Period):
        raise ValueError(f"no period is called {period!r}")
    local = instants.moment(ms).astimezone(zone_of(zone))
    day = local.date()
    if period in ("day", "week"):
        length, back = (1, 0) if period == "day" else (7, day.weekday())
        ordinals = (day.toordinal() - back, day.toordinal() - back + length)
        start, end = (datetime.fromordinal(one) for one in ordinals)
    else:
        length = {"month": 1, "quarter": 3, "year": 12}[period]
        month = 12 * day.year + (day.month - 1) // length * length
        start, end = (datetime(one // 12, one % 12 + 1, 1) for one in (month, month + length))  # noqa: DTZ001
    return _utc(start, zone), _utc(end, zone)


def _utc(wall: datetime, zone: str) -> int:
    return instants.of_moment(wall.replace(tzinfo=zone_of(zone)).astimezone(UTC))
