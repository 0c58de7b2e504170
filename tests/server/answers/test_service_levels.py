"""Minutes left of what is agreed, before and after, at the shop; it is November 2023."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.also import Asked
from cmdb_server.answers.impact import impact
from cmdb_server.answers.intervals import Booked, intervals
from cmdb_server.answers.service_levels import ServiceLevelTold
from cmdb_server.answers.spans import Span
from cmdb_server.errors import Invalid
from cmdb_server.ingest.declare import DeclaredRelation
from cmdb_server.model.instants import parse, rfc3339
from cmdb_server.practices import kept
from cmdb_server.practices.kept import By
from cmdb_server.store.sqlite import SqliteStore
from tests.shop import NOW, VIEWER, Shop

HOUR = 3_600_000
MONTH = parse("2023-11-01T00:00:00Z"), parse("2023-12-01T00:00:00Z")
ALLOWED = 30 * 24 * 60 / 100


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def agreed(shop: Shop, name: str = "desk", **more: object) -> None:
    """A service on the database, 99 % of the month."""
    told = {"availability_target": 99, **more}
    shop.enter(name, "business_service", DeclaredRelation("depends_on", shop.ids["db"]), **told)  # type: ignore[arg-type]


def outage(shop: Shop, name: str, start: int, end: int | None) -> None:
    by = By("ann", ("operator",), shop.at)
    told = {"started_at": rfc3339(start)}
    made = kept.open_(shop.store, "outage", told, {"down": [shop.ids[name]]}, by)
    if end is not None:
        kept.move(shop.store, made.number, "end", by, {"ended_at": rfc3339(end)})


def level(shop: Shop, during: Span | None = None, failed: str = "db") -> ServiceLevelTold | None:
    told = impact(shop.projections, VIEWER, [shop.ids[failed]], also=Asked(during=during))
    return next(one.level for one in told.services if one.affected.ci.name == "desk")


def test_without_a_target_nothing_is_told(shop: Shop) -> None:
    assert all(one.level is None for one in shop.impact("db").services)


def test_the_whole_is_left_while_nothing_happened(shop: Shop) -> None:
    agreed(shop)
    assert level(shop) == ServiceLevelTold(99.0, *MONTH, ALLOWED, ALLOWED, None)


def test_declared_outages_of_the_period_cost_minutes_once(shop: Shop) -> None:
    agreed(shop)
    outage(shop, "db-host", MONTH[0] - HOUR, MONTH[0] + HOUR)
    outage(shop, "rack", MONTH[0] + HOUR // 2, MONTH[0] + 2 * HOUR)
    outage(shop, "web1", MONTH[0] + 5 * HOUR, MONTH[0] + 9 * HOUR)
    found = level(shop)
    assert found is not None and found.minutes_left == ALLOWED - 120


def test_an_open_one_costs_until_now(shop: Shop) -> None:
    agreed(shop)
    outage(shop, "db", NOW - 10 * HOUR, None)
    found = level(shop)
    assert found is not None
    assert found.minutes_left == pytest.approx(ALLOWED - (shop.at - NOW + 10 * HOUR) / 60_000, abs=0.001)
    assert found.minutes_left < 0


def test_after_the_change_less_is_left_and_nothing_counts_twice(shop: Shop) -> None:
    agreed(shop)
    outage(shop, "db", NOW - HOUR, None)
    during = NOW - HOUR, NOW + 3 * HOUR
    found = level(shop, during)
    assert found is not None
    assert (found.minutes_left_after, found.start) == (ALLOWED - 240, MONTH[0])
    beyond = level(shop, (MONTH[1] - HOUR, None))
    assert beyond is not None and beyond.minutes_left - (beyond.minutes_left_after or 0) == pytest.approx(60)


def test_hours_and_periods_are_those_of_the_service(shop: Shop) -> None:
    agreed(shop, service_hours="Mo-Fr 08:00-18:00 Europe/Berlin", availability_period="week")
    night = parse("2023-11-15T17:00:00Z"), parse("2023-11-16T08:00:00Z")
    found = level(shop, night)
    assert found is not None
    assert (rfc3339(found.start), found.minutes) == ("2023-11-12T23:00:00.000Z", 30.0)
    assert found.minutes_left_after == 30 - 60


def test_over_time_each_service_has_its_own_minutes(shop: Shop) -> None:
    agreed(shop)
    told = intervals(
        shop.projections, VIEWER, (NOW, NOW + 10 * HOUR),
        [Booked((shop.ids["db"],), ((NOW + HOUR, NOW + 2 * HOUR), (NOW + 4 * HOUR, None)))],
    )  # fmt: skip
    levels = {one.affected.ci.name: one.level for one in told.services}
    assert levels["shop"] is None
    assert levels["desk"] == ServiceLevelTold(99.0, *MONTH, ALLOWED, ALLOWED, ALLOWED - 7 * 60)
    assert told.as_json()["services"][0].keys() >= {"level"}


@pytest.mark.parametrize(
    ("attributes", "path"),
    [
        ({"availability_target": 101}, "attributes.availability_target"),
        ({"service_hours": "always"}, "attributes.service_hours"),
        ({"availability_period": "fortnight"}, "attributes.availability_period"),
    ],
)
def test_what_cannot_be_agreed_is_refused(shop: Shop, attributes: dict[str, object], path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        agreed(shop, **attributes)
    assert refusal.value.extra["errors"][0]["path"] == path
