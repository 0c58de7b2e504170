"""What breaks from when to when at the shop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.intervals import Booked, Expected, IntervalsAnswer, SpanTold, intervals
from cmdb_server.answers.what_if import Edit
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import BookedShop, window
from tests.shop import NOW, VIEWER, Shop

HOUR = 3_600_000
BOTH = {"kind": "at_least", "k": 2}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def booked(shop: Shop, name: str, *hours: tuple[int, int | None]) -> Booked:
    spans = tuple((start * HOUR, None if end is None else end * HOUR) for start, end in hours)
    return Booked((shop.ids[name],), spans)


def asked(shop: Shop, *failures: Booked, end: int | None = 24, **more: object) -> IntervalsAnswer:
    window = 0, None if end is None else end * HOUR
    return intervals(shop.projections, VIEWER, window, failures, **more)  # type: ignore[arg-type]


def hours(spans: tuple[SpanTold, ...]) -> list[tuple[float, float | None]]:
    return [(one.start / HOUR, None if one.end is None else one.end / HOUR) for one in spans]


def test_two_of_a_pool_take_the_services_down_while_they_overlap(shop: Shop) -> None:
    told = asked(shop, booked(shop, "web1", (1, 5)), booked(shop, "web2", (4, 8), (12, None)))
    assert [(one.affected.ci.name, one.criticality) for one in told.services] == [
        ("shop", "most_critical"), ("wiki", "not_critical"),
    ]  # fmt: skip
    shop_ = told.services[0].affected
    assert (hours(shop_.down), shop_.degraded, shop_.down_ms, shop_.degraded_ms) == ([(4, 5)], (), HOUR, 0)
    assert {one.ci.name for one in told.cis} == {"lb", "app"}
    assert [(one.start // HOUR, sorted(str(ci.name) for ci in one.failed)) for one in told.pieces] == [
        (0, []), (1, ["web1"]), (4, ["web1", "web2"]), (5, ["web2"]), (8, []), (12, ["web2"]),
    ]  # fmt: skip
    assert told.pieces[2].by_state == {"down": 6}
    assert [one["affected"]["ci"]["class"] for one in json.loads(json.dumps(told.as_json()))["services"]] == [
        "business_service"
    ] * 2


def test_the_longest_down_come_first_and_no_end_is_longest(shop: Shop) -> None:
    told = asked(shop, booked(shop, "db-host", (1, 3)), booked(shop, "web1", (2, None)), booked(shop, "web2", (4, 5)),
                 booked(shop, "db", (6, None)), end=None)  # fmt: skip
    assert [one.ci.name for one in told.cis] == ["app", "db", "lb"]
    assert (told.cis[0].down_ms, hours(told.cis[0].down)) == (None, [(1, 3), (4, 5), (6, None)])


def test_what_is_expected_by_then_counts_from_then_on(shop: Shop) -> None:
    expected = [Expected(2 * HOUR, (Edit("gate", shop.ids["lb"], BOTH),))]
    told = asked(shop, booked(shop, "web1", (1, 3)), expected=expected)
    assert hours(told.services[0].affected.down) == [(2, 3)]
    gone = [*expected, Expected(HOUR, (Edit("remove", shop.ids["lb"]),))]
    with pytest.raises(NotFound) as refusal:
        asked(shop, booked(shop, "web1", (1, 3)), expected=gone)
    assert refusal.value.extra["errors"][0]["path"] == "expected[0].edits[0].ci"


def test_lists_are_bounded(shop: Shop) -> None:
    told = asked(shop, booked(shop, "web1", (1, 5)), booked(shop, "web2", (4, 8)), limit=1)
    assert (len(told.services), len(told.cis), len(told.pieces)) == (1, 1, 1)
    assert told.more == {"services": 1, "cis": 1, "pieces": 4}


def test_nothing_derived_is_nothing_listed(shop: Shop) -> None:
    told = asked(shop, booked(shop, "web1", (1, 5)))
    assert (told.services, told.cis) == ((), ())
    assert asked(shop, booked(shop, "web1", (30, 50))).pieces[0].by_state == {}


def test_bad_questions_are_refused_with_their_place(shop: Shop) -> None:
    with pytest.raises(Invalid, match="at least one"):
        asked(shop)
    with pytest.raises(Invalid) as refusal:
        asked(shop, booked(shop, "web1", (1, 2), (5, 4)))
    assert refusal.value.extra["errors"][0]["path"] == "failures[0].spans[1]"
    with pytest.raises(NotFound) as unknown:
        asked(shop, booked(shop, "web1", (1, 2)), Booked(("nobody",), ((1, 2),)))
    assert unknown.value.extra["errors"][0]["path"] == "failures[1].cis[0]"


def test_what_else_is_booked_or_open_fails_too_and_is_told_apart(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")
    shop = BookedShop(store)
    change = shop.book("web2", at=(10, 12))
    out = shop.keep("outage", {"down": ["db"]}, "operator", started_at=window(20, 21)["start"])

    def told(also: str) -> dict[str | None, tuple[object, object]]:
        mine = Booked((shop.ids["web1"],), ((NOW + 11 * HOUR, NOW + 13 * HOUR),))
        found = intervals(shop.projections, VIEWER, (NOW, NOW + 24 * HOUR), [mine], also=also)  # type: ignore[arg-type]
        assert [one.number for one in found.others] == {
            "none": [], "booked": [change.number], "both": [change.number, out.number],
        }[also]  # fmt: skip
        return {one.affected.ci.name: (since(one.affected.down), since(one.affected.anyway)) for one in found.services}

    def since(spans: tuple[SpanTold, ...]) -> list[tuple[float, float | None]]:
        return [(start - NOW / HOUR, end and end - NOW / HOUR) for start, end in hours(spans)]

    assert told("none") == {}
    assert told("booked")["shop"] == ([(11, 12)], [])
    assert told("both")["shop"] == ([(11, 12), (20, 24)], [(20, 24)])
    store.close()
