"""The course of the CMDB's health: what was recorded of it, and whether it grows better or worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cmdb_server.answers.health import CHECKS, Health
from cmdb_server.model.series import DAY_MS
from cmdb_server.practices.health_course import Cell, Recorded, course
from cmdb_server.store.port import Reading, Store

LOOK_BACK_MS = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class HealthPoint:
    """How many CIs failed a check at a time (ms), of how many."""

    at: int
    failing: int
    of: int


@dataclass(frozen=True, slots=True)
class CheckCourse:
    """One check's points in order of time. ``trend``: better, worse or steady, None with fewer than two."""

    check: str
    points: tuple[HealthPoint, ...]
    trend: str | None


def recorded(told: Health, at: int) -> Recorded:
    """A health's figures as they are kept."""
    figures = {(one.check, one.class_, one.owner): (one.failing, one.of) for one in told.figures}
    return Recorded(at, told.revision, figures)


def health_course(
    store: Store, since: int, until: int, check: str | None = None, class_: str | None = None, owner: str | None = None
) -> tuple[CheckCourse, ...]:
    """The course of every check, or of one, from ``since`` to ``until`` (ms), over all classes and owners or one."""

    def work(tx: Reading) -> list[tuple[int, Mapping[Cell, tuple[int, int]]]]:
        return [(one.at, one.figures) for one in course(tx, since, until)]

    told = store.read(work)
    found = []
    for name in CHECKS if check is None else (check,):
        points = tuple(HealthPoint(at, *_sum(figures, name, class_, owner)) for at, figures in told)
        found.append(CheckCourse(name, points, trend(points)))
    return tuple(found)


def _sum(figures: Mapping[Cell, tuple[int, int]], check: str, class_: str | None, owner: str | None) -> tuple[int, int]:
    some = [
        counts for (of, kind, whose), counts in figures.items()
        if of == check and class_ in (None, kind) and owner in (None, whose)
    ]  # fmt: skip
    return sum(failing for failing, _ in some), sum(of for _, of in some)


def trend(points: tuple[HealthPoint, ...]) -> str | None:
    """Whether the share that fails fell or rose between the first point and the last."""
    if len(points) < 2:
        return None
    first, last = points[0], points[-1]
    before, now = first.failing * max(last.of, 1), last.failing * max(first.of, 1)
    return "steady" if now == before else "worse" if now > before else "better"


def trends(store: Store, told: Health, now_ms: int) -> dict[str, str | None]:
    """Check -> how the present figures compare with those recorded about a week ago, or since there are any."""
    past = health_course(store, now_ms - LOOK_BACK_MS, now_ms)
    present = recorded(told, now_ms).figures
    return {
        one.check: trend((*one.points[:1], HealthPoint(now_ms, *_sum(present, one.check, None, None)))) for one in past
    }
