"""Who bore an identifier or held an address at a time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def nearest(holders: Iterable[tuple[str, int, int]], at: int) -> list[str]:
    """The CIs whose time with the entry covers ``at``, or else comes nearest to it, in order of their ids.
    ``holders``: (CI, first, last) in ms."""
    best: dict[str, int] = {}
    for ci, first, last in holders:
        distance = max(first - at, at - last, 0)
        best[ci] = min(distance, best.get(ci, distance))
    least = min(best.values(), default=0)
    return sorted(ci for ci, distance in best.items() if distance == least)


def owners(holders: Iterable[tuple[str, int, int]], groups: Mapping[str, tuple[int, float]], at: int) -> list[str]:
    """As ``nearest``; but a group that several boxes make up owns what it holds at that time, whichever of them answers
    for it. ``groups``: CI that is one -> since and until when it holds it, ms."""
    there = [ci for ci, (first, until) in groups.items() if first <= at <= until]
    if len(there) == 1:
        return there
    found = nearest(holders, at)
    among = [ci for ci in found if ci in groups]
    return among if len(among) == 1 else found
