"""What is measured of a CI follows it, whenever it was folded."""

from __future__ import annotations

import pytest

from cmdb_schemas.report import Sample
from cmdb_server.answers.samples import RESOLUTIONS, Point, Series, fitting, of_ci, series
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.ingest.decisions import decide, undo
from cmdb_server.practices import series as folding
from tests.estate import DAY, MINUTE, Estate, minute
from tests.factories import host

VIEWER = Viewer("tests", "admin")
DAYS = {"raw": 3, "5min": 8, "1h": 90, "1d": 1100}
A = host("a", "10.0.0.1")
UPTIME, IO = "system.uptime", "system.network.io"


def tell(estate: Estate, at: float, value: float, **more: object) -> None:
    measured = [Sample("a", UPTIME, value, "s"), Sample("a", IO, 60 * value, "By", "counter", "if:eth0")]
    estate.tell(at, A, samples=measured, **more)  # type: ignore[arg-type]


def course(estate: Estate, ci: str, name: str, resolution: str | None = None, **more: object) -> Series:
    asked = {"since": minute(-10), "until": minute(1000), "days": DAYS, "now_ms": minute(1000), **more}
    return series(estate.store, VIEWER, ci, name, resolution=resolution, **asked)  # type: ignore[arg-type]


def test_the_newest_values_of_a_ci_and_its_components(estate: Estate) -> None:
    tell(estate, 0, 1.0)
    tell(estate, 1, 61.0)
    tell(estate, 2, 7.0, source="snmp", target="10.0.0.1")
    a, port = estate.ci("a")["id"], estate.part("a", "eth0")["id"]
    id_, items, revision = of_ci(estate.store, VIEWER, a, now_ms=minute(3))
    assert (id_, revision) == (a, estate.store.revision())
    told = [(one.name, one.source, one.component, one.component_name, one.value, one.at) for one in items]
    assert told == [
        (UPTIME, "snmp", None, "", 7.0, minute(2)), (UPTIME, "ssh", None, "", 61.0, minute(1)),
        (IO, "snmp", port, "eth0", 420.0, minute(2)), (IO, "ssh", port, "eth0", 3660.0, minute(1)),
    ]  # fmt: skip
    _, own, _ = of_ci(estate.store, VIEWER, port, now_ms=minute(3))
    assert [(one.name, one.component, one.unit, one.kind) for one in own] == [(IO, None, "By", "counter")] * 2


def test_a_course_at_every_resolution(estate: Estate) -> None:
    for at in (2, 3, 4, 60):
        tell(estate, at, float(at))
    a, port = estate.ci("a")["id"], estate.part("a", "eth0")["id"]
    raw = course(estate, a, UPTIME, "raw")
    assert [(one.at, one.last, one.rate) for one in raw.points] == [
        (minute(at), float(at), None) for at in (2, 3, 4, 60)
    ]
    assert (raw.unit, raw.kind, raw.source, raw.ci) == ("s", "gauge", "ssh", a)
    (first, second) = course(estate, a, UPTIME, "5min").points
    assert (first.count, first.min, first.mean, first.max, first.last) == (3, 2.0, 3.0, 4.0, 4.0)
    assert (second.count, second.at) == (1, minute(60) - minute(60) % (5 * MINUTE))
    (day,) = course(estate, a, UPTIME, "1d").points
    assert (day.count, day.max) == (4, 60.0)
    counted = course(estate, port, IO, "raw")
    assert [one.rate for one in counted.points] == [None, 1.0, 1.0, 1.0]
    assert [one.rate for one in course(estate, port, IO, "5min").points] == [1.0, 1.0]


def test_it_does_not_matter_what_is_folded(estate: Estate) -> None:
    def all_of_it() -> list[tuple[Point, ...]]:
        return [course(estate, estate.ci("a")["id"], UPTIME, resolution).points for resolution in RESOLUTIONS]

    for at in (0, 1, 7, 200):
        tell(estate, at, float(at))
    before = all_of_it()
    folding.fold(estate.store, 2)
    half = all_of_it()
    folding.fold(estate.store)
    assert before == half == all_of_it()


def test_samples_follow_their_ci_through_a_merge_and_a_split(estate: Estate) -> None:
    tell(estate, 0, 1.0)
    b = host("b", "10.0.0.2", serial="OTHER")
    estate.tell(1, b, target="10.0.0.2", samples=[Sample("b", UPTIME, 5.0, "s")])
    folding.fold(estate.store)
    ids = [estate.ci(name)["id"] for name in "ab"]
    made = decide(estate.store, "ann", "merge", {"sides": [[ids[0]], [ids[1]]]}, "one box", minute(2))
    assert [one.last for one in course(estate, ids[1], UPTIME, "raw").points] == [1.0, 5.0]
    assert [one.count for one in course(estate, ids[0], UPTIME, "5min").points] == [2]
    undo(estate.store, "ann", made, "two after all", minute(3))
    assert [[one.last for one in course(estate, ci, UPTIME, "raw").points] for ci in ids] == [[1.0], [5.0]]


def test_a_time_without_samples_is_empty_and_an_unknown_name_is_not_found(estate: Estate) -> None:
    tell(estate, 0, 1.0)
    a = estate.ci("a")["id"]
    empty = course(estate, a, UPTIME, since=minute(500))
    assert (empty.points, empty.unit, empty.kind) == ((), "s", "gauge")
    with pytest.raises(NotFound, match=r"nothing called 'x\.y' is measured"):
        course(estate, a, "x.y")
    with pytest.raises(NotFound):
        course(estate, a, UPTIME, source="snmp")
    with pytest.raises(Invalid, match="is not before to"):
        course(estate, a, UPTIME, since=minute(1000))


def test_the_resolution_that_suits() -> None:
    now = 2000 * DAY
    assert fitting(now - DAY, now, DAYS, now) == "5min"
    assert fitting(now - 7 * DAY, now, DAYS, now) == "1h"
    assert fitting(now - 9 * DAY, now - 9 * DAY + 1, DAYS, now) == "1h"
    assert fitting(now - 80 * DAY, now, DAYS, now) == "1d"
    assert fitting(now - 2000 * DAY, now, DAYS, now) == "1d"
