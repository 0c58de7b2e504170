"""Where something of a length still fits."""

from __future__ import annotations

from collections.abc import Iterator

from cmdb_server.model.intervals import Interval, Intervals, difference


def free(length: int, allowed: Intervals, busy: Intervals) -> Iterator[Interval]:
    """The stretches of ``allowed`` without ``busy`` that are at least ``length`` ms long, in order: it may start at
    any time of each that leaves its length. Raises ValueError unless the length is positive."""
    if length <= 0:
        raise ValueError("a length is positive")
    yield from ((start, end) for start, end in difference(allowed, busy) if end - start >= length)


def first_free(length: int, allowed: Intervals, busy: Intervals) -> Interval | None:
    """The first slot of exactly this length (ms); None when there is none."""
    start = next((start for start, _ in free(length, allowed, busy)), None)
    return None if start is None else (start, start + length)
