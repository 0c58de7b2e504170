"""What lies ahead, for all, for a service, for an owner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.answers.schedule import LONGEST_MS, MOST_SPANS, ScheduleAnswer, schedule
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.model import instants
from cmdb_server.practices import kept
from cmdb_server.practices.kept import By
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import BookedShop
from tests.shop import VIEWER, seeing

HOUR = 3_600_000
OLGA, PAT = By("olga", ("operator",), 1_700_000_000_000), By("pat", ("approver",), 1_700_000_000_000)


class Desk:
    """The shop, and what is planned about it; hours count from where the shop's clock stands."""

    def __init__(self, store: SqliteStore) -> None:
        self.shop = BookedShop(store)
        self.shop.enter("blog", "business_service", owned_by="ann")
        self.zero = self.shop.at

    def window(self, start: float, end: float, **more: str) -> dict[str, str]:
        first, last = (instants.rfc3339(self.zero + int(hour * HOUR)) for hour in (start, end))
        return {"start": first, "end": last, **more}

    def change(self, name: str, *windows: dict[str, str], **body: Any) -> str:
        return self.shop.book(name, note="all the same", windows=list(windows), **body).number

    def ask(self, start: float = 0, end: float = 100, **more: Any) -> ScheduleAnswer:
        within = self.zero + int(start * HOUR), self.zero + int(end * HOUR)
        if "service" in more:
            more["service"] = self.shop.ids.get(more["service"], more["service"])
        sees = more.pop("sees", None)
        viewer = VIEWER if sees is None else seeing(self.shop.projections, sees)
        return schedule(self.shop.projections, viewer, within, **more)

    def hours(self, answer: ScheduleAnswer) -> dict[str, list[tuple[float, float | None]]]:
        return {
            one.number: [
                ((span.start - self.zero) / HOUR, None if span.end is None else (span.end - self.zero) / HOUR)
                for span in one.spans
            ]
            for one in answer.items
        }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Desk(store)
    store.close()


def test_things_stand_in_order_with_whole_windows(desk: Desk) -> None:
    late, early = desk.change("db", desk.window(20, 21)), desk.change("web1", desk.window(-1, 2))
    again = desk.change("rack", desk.window(5, 6, rrule="FREQ=DAILY;COUNT=30"))
    desk.change("web2", desk.window(200, 201))
    found = desk.hours(desk.ask(end=60))
    assert list(found) == [early, again, late]
    assert (found[early], found[late], found[again]) == ([(-1, 2)], [(20, 21)], [(5, 6), (29, 30), (53, 54)])


def test_services_are_told_with_what_becomes_of_them(desk: Desk) -> None:
    desk.change("db", desk.window(1, 2), interruption="degraded")
    desk.change("web1", desk.window(2, 3))
    desk.change("db-host", desk.window(3, 4))
    desk.change("rack", desk.window(4, 5), interruption="none")
    states = [{service.ci.name: service.state for service in one.services} for one in desk.ask().items]
    assert [one["shop"] for one in states] == ["degraded", "up", "down", "up"]
    assert all(set(one) == {"shop", "wiki"} for one in states)


def test_of_a_service_is_what_touches_anything_below_it(desk: Desk) -> None:
    below, aside = desk.change("rack", desk.window(1, 2)), desk.change("blog", desk.window(1, 2))
    assert [one.number for one in desk.ask(service="shop").items] == [below]
    assert [one.number for one in desk.ask(service="blog").items] == [aside]
    asked = desk.ask(service="shop")
    assert asked.service in [one.ci for one in asked.items[0].services]
    with pytest.raises(NotFound):
        desk.ask(service="00000000-0000-0000-0000-000000000000")


def test_of_an_owner_is_what_touches_a_service_of_theirs(desk: Desk) -> None:
    desk.change("rack", desk.window(1, 2))
    mine = desk.change("blog", desk.window(1, 2))
    answer = desk.ask(owner="ann")
    assert [(one.number, one.services[0].owner) for one in answer.items] == [(mine, "ann")]
    assert desk.ask(owner="zed").items == ()


def test_outages_and_freezes_are_there_too(desk: Desk) -> None:
    now = instants.rfc3339(desk.zero + HOUR)
    outage = kept.open_(desk.shop.store, "outage", {"started_at": now}, {"down": [desk.shop.ids["db"]]}, OLGA).number
    every = kept.open_(desk.shop.store, "freeze", {"summary": "x", "windows": [desk.window(5, 9)]}, {}, PAT).number
    some = {"frozen": [desk.shop.ids["blog"]]}
    kept.open_(desk.shop.store, "freeze", {"summary": "y", "windows": [desk.window(5, 9)]}, some, PAT)
    found = desk.ask(service="shop")
    assert desk.hours(found) == {outage: [(1, None)], every: [(5, 9)]}
    assert [one.effect for one in found.items] == ["full", "none"]
    assert [one.kind for one in desk.ask(kinds=("freeze",)).items] == ["freeze", "freeze"]


def test_a_change_under_way_has_no_end(desk: Desk) -> None:
    number = desk.change("db", desk.window(1, 2))
    desk.shop.at = desk.zero + HOUR
    desk.shop.go(number, "implement")
    assert desk.hours(desk.ask())[number] == [(1, None)]


def test_what_is_left_out_is_counted(desk: Desk) -> None:
    desk.change("db", desk.window(1, 1.5, rrule="FREQ=DAILY"))
    desk.change("rack", desk.window(2, 3))
    answer = desk.ask(end=24 * (MOST_SPANS + 49), limit=1)
    assert (len(answer.items), answer.more) == (1, 1)
    assert len(answer.items[0].spans) == MOST_SPANS and answer.items[0].more["spans"] == 49


def test_a_time_that_is_none_is_refused(desk: Desk) -> None:
    for start, end in ((1, 1), (2, 1), (0, LONGEST_MS / HOUR + 1)):
        with pytest.raises(Invalid):
            desk.ask(start, end)


def test_what_the_viewer_may_not_see_is_not_named(desk: Desk) -> None:
    desk.change("blog", desk.window(1, 2))
    number = desk.change("rack", desk.window(1, 2))
    (one,) = desk.ask(sees='name == "shop"').items
    assert (one.number, one.summary, one.cis[0].name, one.services[0].owner) == (number, "", None, None)
    assert {(service.ci.name, service.state) for service in one.services} == {("shop", "down"), (None, "down")}
