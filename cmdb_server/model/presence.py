"""From what was and was not seen to whether a thing is there: pure, in any order of arrival.

A sighting lasts until another record is seen later at the same place, or until a complete scan of its scope is later
than it and lacks the record. A partial or failed scan ends nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cmdb_schemas.ci_class import Life

Stage = Literal["current", "ageing", "missing", "retired"]


@dataclass(frozen=True, slots=True)
class Run:
    """Sightings nothing came between: seen from ``first`` to ``last`` (ms), known gone at ``ended_at``; None while
    nothing ended it."""

    first: int
    last: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class LifeState:
    """``stage`` holds since ``since`` and, if nothing is seen, until ``until`` (ms; None: for good)."""

    stage: Stage
    since: int
    until: int | None


def runs(
    sightings: Iterable[tuple[int, str]], displaced: Sequence[int], complete: Mapping[str, Sequence[int]]
) -> tuple[Run, ...]:
    """The presence of one record. ``sightings``: (time, scope). ``displaced``: sorted times at which another record
    was seen at this one's (source, site, target) or native key. ``complete``: scope -> sorted times of its complete
    scans, those that saw the record included."""
    seen = sorted(set(sightings))
    own = {at for at, _ in seen}
    found: list[Run] = []
    for at, scope in seen:
        end = _earliest(_after(displaced, at), _absent(complete.get(scope, ()), at, own))
        previous = found[-1] if found else None
        if previous and (previous.ended_at is None or previous.ended_at >= at):
            found[-1] = Run(previous.first, at, _latest(end, previous.ended_at))
        else:
            found.append(Run(at, at, end))
    return tuple(found)


def _after(times: Sequence[int], at: int) -> int | None:
    place = bisect_right(times, at)
    return times[place] if place < len(times) else None


def _absent(complete: Sequence[int], at: int, own: set[int]) -> int | None:
    """The first complete scan after ``at`` that did not see the record."""
    return next((t for t in complete[bisect_right(complete, at) :] if t not in own), None)


def _earliest(a: int | None, b: int | None) -> int | None:
    return min(a, b) if a is not None and b is not None else a if b is None else b


def _latest(a: int | None, b: int | None) -> int | None:
    """The later of two ends, of which None is the latest."""
    return None if a is None or b is None else max(a, b)


def stage(claims: Iterable[Run], life: Life | None, now: int, deleted_at: int | None = None) -> LifeState:
    """The life of a CI at ``now`` from the last run of each of its records. It lives while any source claims it: it is
    missing when scans ended all claims, or when the last one was not confirmed for ``missing_ms``. Without a ``life``
    only scans end it. ``deleted_at``: when people deleted it, since when it is retired."""
    held = list(claims)
    if not held:
        raise ValueError("a CI without records has no life")
    if deleted_at is not None:
        return LifeState("retired", deleted_at, None)
    last = max(run.last for run in held)
    open_ = [run.last for run in held if run.ended_at is None]
    ageing = max(open_) + life.ageing_ms if open_ and life else None
    gone = _gone(held, life)
    retired = max(gone, last + life.retired_ms) if gone is not None and life else None
    if gone is None or now < gone:
        if ageing is None or now < ageing:
            return LifeState("current", min(run.first for run in held), _earliest(ageing, gone))
        return LifeState("ageing", ageing, gone)
    if retired is None or now < retired:
        return LifeState("missing", gone, retired)
    return LifeState("retired", retired, None)


def _gone(held: Iterable[Run], life: Life | None) -> int | None:
    """When the last claim went; None while one of them has no end."""
    ends = []
    for run in held:
        if run.ended_at is None and life is None:
            return None
        ends.append(run.last + life.missing_ms if run.ended_at is None and life else run.ended_at or 0)
    return max(ends)
