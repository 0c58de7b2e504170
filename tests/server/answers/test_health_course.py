"""What was recorded of the health is what is computed for that time afterwards."""

from __future__ import annotations

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.health import CHECKS, OF_TASKS, health
from cmdb_server.answers.health_course import HealthPoint, health_course, recorded, trend, trends
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Forgotten
from cmdb_server.ingest.declare import create
from cmdb_server.practices.health_course import keep
from cmdb_server.store.bounds import HISTORY, Bound, advance
from tests.estate import Estate, minute
from tests.factories import host

VIEWER = Viewer("ann", "admin", classes())


def record(estate: Estate, at: float) -> dict[tuple[str, str, str], tuple[int, int]]:
    told = recorded(health(estate.store, VIEWER, now_ms=minute(at)), minute(at))
    keep(estate.store, told)
    return {cell: counts for cell, counts in told.figures.items() if cell[0] not in OF_TASKS}


def test_the_figures_of_a_time_are_those_recorded_then(either: Estate) -> None:
    estate, kept = either, {}
    estate.tell(0, host("a", "10.0.0.1", uses=[("10.0.0.7", 80)]), target="10.0.0.1")
    kept[1] = record(estate, 1)
    estate.tell(2, host("b", "10.0.0.2", os_name="Debian"), host("a", "10.0.0.1"), target="10.0.0.0/24")
    create(estate.store, "ann", "person", {"name": "Ann"}, now_ms=minute(2))
    kept[3] = record(estate, 3)
    estate.tell(30 * 1440, host("b", "10.0.0.2", os_name="Debian", os_version="13"), target="10.0.0.0/24")
    kept[30 * 1440 + 1] = record(estate, 30 * 1440 + 1)
    for at, figures in kept.items():
        told = health(estate.store, VIEWER, now_ms=minute(40 * 1440), at=minute(at))
        assert {(one.check, one.class_, one.owner): (one.failing, one.of) for one in told.figures} == figures, at
    assert kept[1] != kept[3] != kept[30 * 1440 + 1]


def test_the_course_and_its_trend(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1"), target="10.0.0.1")
    record(estate, 1)
    estate.tell(2, host("b", "10.0.0.2"), target="10.0.0.2")
    record(estate, 3)
    told = {one.check: one for one in health_course(estate.store, minute(0), minute(9))}
    assert told.keys() == CHECKS.keys()
    assert told["no-owner"].points == (HealthPoint(minute(1), 1, 1), HealthPoint(minute(3), 2, 2))
    assert told["no-owner"].trend == "steady"
    (one,) = health_course(estate.store, minute(2), minute(9), "no-owner", "server", "")
    assert [(point.failing, point.of) for point in one.points] == [(2, 2)]
    (one,) = health_course(estate.store, minute(2), minute(9), "no-owner", "server", "Ann")
    assert [(point.failing, point.of) for point in one.points] == [(0, 0)]
    assert one.trend is None
    create(estate.store, "ann", "person", {"name": "Ann"}, now_ms=minute(4))
    now = trends(estate.store, health(estate.store, VIEWER, now_ms=minute(5)), minute(5))
    assert now["no-owner"] == "steady"
    assert now["missing"] == "steady"
    assert set(now.values()) <= {"better", "worse", "steady"}


def test_a_trend_is_of_shares() -> None:
    def of(*counts: tuple[int, int]) -> str | None:
        return trend(tuple(HealthPoint(at, failing, total) for at, (failing, total) in enumerate(counts)))

    assert (of((1, 2), (5, 5), (2, 5)), of((1, 5), (2, 5)), of((1, 5), (2, 10))) == ("better", "worse", "steady")
    assert (of(), of((1, 1)), of((0, 0), (1, 1)), of((1, 1), (0, 0))) == (None, None, "worse", "better")


def test_a_time_that_was_dropped_is_refused(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1"))
    estate.store.write(lambda tx: advance(tx, Bound(HISTORY, minute(5), 1)))
    with pytest.raises(Forgotten):
        health(estate.store, VIEWER, now_ms=minute(9), at=minute(4))
