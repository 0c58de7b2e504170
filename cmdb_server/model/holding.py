"""Who bore an identifier or held an address at a time. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(holders: Iterable[tuple[str, int, int]], at: int) -> list[str]:
    """The CIs whose time with the entry covers ``at``, or else comes nearest to it, in order of their ids.
    ``holders``: (CI, first, last) in ms."""
    best: dict[str, int] = {}
    for ci, first, last in holders:
        distance = max(first - at, at - last, 0)
        best[ci] = min(distance, best.get(ci, distance))
    least = min(best.values(), default=0)
    return sorted(ci for ci, distance in best.items() if distance == least)
