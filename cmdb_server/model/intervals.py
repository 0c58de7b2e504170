"""Sets of times: half-open intervals [start, end) in ms since 1970 UTC, sorted, apart from one another and not empty.

What ends when another begins does not overlap it, but the two together are one interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

Interval: TypeAlias = tuple[int, int]
Intervals: TypeAlias = tuple[Interval, ...]


def normalise(told: Iterable[Interval]) -> Intervals:
    """The same times as any intervals, in any order, that may overlap, touch or be empty."""
    merged: list[Interval] = []
    for start, end in sorted(told):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def union(*sets: Intervals) -> Intervals:
    """The times that are in any."""
    return normalise(interval for one in sets for interval in one)


def intersection(one: Intervals, other: Intervals) -> Intervals:
    """The times that are in both."""
    return tuple(_shared(one, other))


def _shared(one: Intervals, other: Intervals) -> Iterator[Interval]:
    here = there = 0
    while here < len(one) and there < len(other):
        start, end = max(one[here][0], other[there][0]), min(one[here][1], other[there][1])
        if start < end:
            yield start, end
        if one[here][1] <= other[there][1]:
            here += 1
        else:
            there += 1


def complement(one: Intervals, within: Interval) -> Intervals:
    """The times of ``within`` that are not in ``one``."""
    edges = [within[0], *(edge for interval in one for edge in interval), within[1]]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return clip(tuple((start, end) for start, end in gaps if start < end), within)


def difference(one: Intervals, other: Intervals) -> Intervals:
    """The times that are in ``one`` alone."""
    return intersection(one, complement(other, (one[0][0], one[-1][1]))) if one else ()


def clip(one: Intervals, within: Interval) -> Intervals:
    """What of it lies within one interval."""
    return intersection(one, normalise([within]))


def total(one: Intervals) -> int:
    """How long it is in all, in ms."""
    return sum(end - start for start, end in one)
