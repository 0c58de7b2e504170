"""Measured values over time, thinned out: many points become one aggregate for each bucket of time. Pure.

An aggregate of a longer time is made of those of shorter ones that follow one another, so that only the newest points
need be kept. A counter's increase is counted from point to point; one that fell began anew from nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
RAW = "raw"
WIDTHS: Mapping[str, int] = {"5min": 5 * MINUTE_MS, "1h": HOUR_MS, "1d": DAY_MS}
"""resolution -> the width of a bucket in ms, finest first; each is a multiple of the one before."""
COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The points of one series in one bucket. Times in ms; ``increase``: from the first point to the last, as a
    counter counts."""

    count: int
    sum: float
    min: float
    max: float
    first_at: int
    first: float
    last_at: int
    last: float
    increase: float


@dataclass(frozen=True, slots=True)
class Metered:
    """An aggregate with what it measures: its unit and whether it is a gauge or a counter."""

    unit: str
    kind: str
    of: Aggregate


def bucket(at: int, width: int) -> int:
    """When the bucket begins that a time (ms) falls into."""
    return at - at % width


def point(at: int, value: float) -> Aggregate:
    """A single point."""
    return Aggregate(1, value, value, value, at, value, at, value, 0.0)


def step(before: float, after: float) -> float:
    """How far a counter went. It only falls by beginning anew."""
    return _finite(after - before) if after >= before else after


def _finite(value: float) -> float:
    """What anyone may have measured is added up; JSON has no infinity."""
    return min(max(value, -sys.float_info.max), sys.float_info.max)


def joined(one: Aggregate, other: Aggregate) -> Aggregate:
    """Both together. Where one follows the other the increase is exact; where they overlap, the larger of the two."""
    early, late = (one, other) if (one.first_at, one.last_at) <= (other.first_at, other.last_at) else (other, one)
    increase = _finite(early.increase + step(early.last, late.first) + late.increase)
    if late.first_at <= early.last_at:
        increase = max(early.increase, late.increase)
    last = late if late.last_at >= early.last_at else early
    return Aggregate(
        early.count + late.count, _finite(early.sum + late.sum), min(early.min, late.min), max(early.max, late.max),
        early.first_at, early.first, last.last_at, last.last, increase,
    )  # fmt: skip


def met(one: Metered | None, other: Metered) -> Metered:
    """Both together; unit and kind are the later one's."""
    if one is None:
        return other
    later = other if other.of.last_at >= one.of.last_at else one
    return Metered(later.unit, later.kind, joined(one.of, other.of))


def rates(points: Sequence[Aggregate]) -> Iterator[float | None]:
    """How fast a counter went up to each point, a second; None where nothing is known before it. ``points`` in order
    of time."""
    before: Aggregate | None = None
    for now in points:
        if before is not None and now.last_at > before.last_at:
            gone = step(before.last, now.first) + now.increase
            yield _finite(gone / (now.last_at - before.last_at) * 1000)
        elif now.last_at > now.first_at:
            yield _finite(now.increase / (now.last_at - now.first_at) * 1000)
        else:
            yield None
        before = now


def together(points: Iterable[tuple[int, Aggregate]], width: int) -> dict[int, Aggregate]:
    """Buckets of ``width`` ms of (time, aggregate), which may come in any order."""
    found: dict[int, Aggregate] = {}
    for at, one in sorted(points, key=lambda told: (told[1].first_at, told[1].last_at)):
        start = bucket(at, width)
        found[start] = joined(found[start], one) if start in found else one
    return found


def packed(one: Metered) -> list[Any]:
    """As plain values; a single point in short."""
    told = one.of
    if told.count == 1:
        return [one.unit, one.kind, told.first_at, told.first]
    numbers = (told.count, told.sum, told.min, told.max, told.first_at, told.first, told.last_at, told.last)
    return [one.unit, one.kind, *numbers, told.increase]


def unpacked(told: Sequence[Any]) -> Metered:
    """What ``packed`` was given."""
    unit, kind, *numbers = told
    return Metered(unit, kind, point(*numbers) if len(numbers) == 2 else Aggregate(*numbers))
