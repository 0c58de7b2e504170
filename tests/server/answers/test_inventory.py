"""What is there: lists with filters and pages, one CI with all that belongs to it, and search; now and in the past."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_schemas.report import Component, End, Observation, Relation, Sample
from cmdb_server.answers.inventory import Filters, counts, list_cis, relations, search, show
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.views import Page
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.projection.projections import Projections
from cmdb_server.store import tables
from tests.estate import DAY, MINUTE, Estate, minute
from tests.factories import host

VIEWER = Viewer("tests", "admin")
YEARS = 5 * 365 * DAY / MINUTE


@pytest.fixture
def shop(estate: Estate) -> Estate:
    """Two web servers on a database, one of them gone, and a switch elsewhere."""
    estate.tell(0, host("db", "10.0.0.9", listens=[5432], os_name="Debian"), target="db")
    web = [
        host(f"web-{n}", f"10.0.0.{n}", listens=[80], uses=[("10.0.0.9", 5432), ("10.9.9.9", 1)], packages=["pkg:x"])
        for n in (1, 2)
    ]
    estate.tell(0, *web, target="web", samples=[Sample("web-1", "system.uptime", 5.0, "s")])
    estate.tell(1, web[0], target="web", coverage={"scope": "complete"})
    switch = Observation("sw", "switch", "10.0.1.1", None, {"serial": ["FOC1A2B3C4D"]}, {"name": "sw", "layer": 3})
    estate.tell(1, switch, target="net", site="branch", source="snmp")
    return estate


def listed(estate: Estate, at: float | None = None, now: float = 2, **filters: Any) -> list[str]:
    moment = None if at is None else minute(at)
    page = list_cis(estate.store, VIEWER, Filters(**filters), at=moment, now_ms=minute(now), limit=1000)
    return sorted(ci.name for ci in page.items)


def test_filters_narrow_and_add_up(shop: Estate) -> None:
    assert listed(shop, class_="server") == ["db", "web-1", "web-2"]
    assert listed(shop, class_="hardware") == ["db", "sw", "web-1", "web-2"], "descendants too"
    assert listed(shop, class_="server", stage="current") == ["db", "web-1"]
    assert listed(shop, class_="server", stage="missing") == ["web-2"]
    assert listed(shop, site="branch") == ["sw"]
    assert listed(shop, name="db") == ["db"]
    assert listed(shop, attributes={"os_name": "Debian"}) == ["db"]
    assert listed(shop, attributes={"layer": "3"}, site="branch") == ["sw"]
    assert listed(shop, attributes={"layer": "3"}, site="lab") == []
    with pytest.raises(Invalid, match="teapot"):
        listed(shop, class_="teapot")


def test_a_list_as_of_then(shop: Estate) -> None:
    assert listed(shop, at=0, class_="hardware") == ["db", "web-1", "web-2"]
    assert listed(shop, at=0, stage="missing") == []
    assert listed(shop, at=-1) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("filters", [Filters(), Filters(class_="ci"), Filters(stage="current")])
def test_pages_hold_everything_once_and_in_order(shop: Estate, limit: int, filters: Filters) -> None:
    def page(cursor: str | None, size: int) -> Page:
        return list_cis(shop.store, VIEWER, filters, cursor, size, now_ms=minute(2))

    whole = [ci.id for ci in page(None, 1000).items]
    found, cursor = [], None
    while True:
        told = page(cursor, limit)
        assert len(told.items) <= limit
        found += [ci.id for ci in told.items]
        if (cursor := told.cursor) is None:
            break
        assert len(told.items) == limit
    assert found == whole == sorted(whole)


def test_one_ci_with_all_that_belongs_to_it(shop: Estate) -> None:
    told = show(shop.store, VIEWER, shop.ci("web-1")["id"], now_ms=minute(2))
    assert [(part.class_, part.name) for part in told.components] == [
        ("network_interface", "eth0"),
        ("web_server", "app"),
    ]
    assert {(view.label, view.incoming, view.other_name) for view in told.relations} >= {
        ("installs", False, "pkg:x"), ("runs", True, "app")
    }  # fmt: skip
    (source,) = told.sources
    assert (source.source, source.site, source.first, source.last, source.ended_at) == (
        "ssh", "lab", minute(0), minute(1), None
    )  # fmt: skip
    assert [(sample.name, sample.value, sample.at) for sample in told.samples] == [
        ("system.uptime", 5.0, minute(0))
    ]  # fmt: skip


def test_an_end_nobody_is_known_to_be_is_named(shop: Estate) -> None:
    app = shop.part("web-1", "app")["id"]
    told = show(shop.store, VIEWER, app, now_ms=minute(2))
    assert [(end.type, end.far, end.port) for end in told.open_ends] == [("depends_on", "address:lab|10.9.9.9", 1)]
    views = relations(shop.store, VIEWER, app, now_ms=minute(2))
    (dependency,) = [view for view in views if view.type == "depends_on"]
    assert (dependency.other_class, dependency.claims, dependency.transient) == ("web_server", 1, False)


def test_what_was_seen_only_in_passing_is_told_so(estate: Estate) -> None:
    passing = Relation("depends_on", End(address="10.0.0.9"), transient=True)
    user = Observation("a", "server", "10.0.0.1", None, {"serial": ["CZ3411AB0C"]}, {"name": "a"}, relations=[passing])
    estate.tell(0, host("db", "10.0.0.9"), user)
    (view,) = relations(estate.store, VIEWER, estate.ci("a")["id"], now_ms=minute(1))
    assert (view.other_name, view.transient) == ("db", True)


def test_one_ci_as_it_was(shop: Estate) -> None:
    gone = shop.ci("web-2")["id"]
    assert show(shop.store, VIEWER, gone, now_ms=minute(2)).summary.stage == "missing"
    then = show(shop.store, VIEWER, gone, at=minute(0), now_ms=minute(2))
    assert (then.summary.stage, {part.stage for part in then.components}) == ("current", {"current"})
    with pytest.raises(NotFound):
        show(shop.store, VIEWER, gone, at=minute(-1), now_ms=minute(2))
    with pytest.raises(NotFound):
        show(shop.store, VIEWER, "nobody", now_ms=minute(2))


def test_any_id_that_ever_stood_for_it_finds_it(shop: Estate) -> None:
    shop.tell(-5, host("db", "10.0.0.9"), source="snmp", now=3)
    now = shop.ci("db")["id"]
    ids = {row[0] for row in shop.rows(tables.RECORD) if row[10] == now}
    assert len(ids) == 2
    assert {show(shop.store, VIEWER, id_, now_ms=minute(4)).id for id_ in ids} == {now}


@pytest.mark.parametrize(
    ("text", "name", "matched"),
    [
        ("web-1", "web-1", "name"), ("WEB-1", "web-1", "name"), (" db ", "db", "name"), ("eb-2", "web-2", "name"),
        ("foc1a2b3c4d", "sw", "serial"), ("3CEC.EF00.0009", "db", "mac"), ("10.0.1.1", "sw", "address"),
        ("debian", "db", "attribute:os_name"), ("tcp:0.0.0.0:5432", "app", "attribute:listens"),
    ],
)  # fmt: skip
def test_search_finds_by_what_people_know(shop: Estate, text: str, name: str, matched: str) -> None:
    hits = search(shop.store, VIEWER, text, projections=Projections(shop.store), now_ms=minute(2))
    assert (hits[0].ci.name, hits[0].matched) == (name, matched)


def test_exact_matches_come_first_and_the_limit_holds(estate: Estate) -> None:
    estate.tell(0, *(host(name, f"10.0.0.{n}") for n, name in enumerate(("web-10", "web-1", "a-web-1"), 1)))
    projections = Projections(estate.store)
    hits = search(estate.store, VIEWER, "web-1", projections=projections, now_ms=minute(1))
    assert (hits[0].ci.name, {hit.ci.name for hit in hits}) == ("web-1", {"web-10", "web-1", "a-web-1"})
    assert len(search(estate.store, VIEWER, "web-1", 2, projections=projections, now_ms=minute(1))) == 2


def test_search_of_nothing_and_of_the_past(shop: Estate) -> None:
    projections = Projections(shop.store)
    with pytest.raises(Invalid):
        search(shop.store, VIEWER, "  ", projections=projections, now_ms=minute(2))
    assert search(shop.store, VIEWER, "nowhere", projections=projections, now_ms=minute(2)) == ()
    assert search(shop.store, VIEWER, "sw", at=minute(0), projections=projections, now_ms=minute(2)) == ()


def test_counts_by_class(shop: Estate) -> None:
    found = counts(shop.store, VIEWER)
    assert (found["server"], found["switch"], found["software_package"]) == (3, 1, 1)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_component_alone_is_a_ci_too(estate: Estate) -> None:
    seen = Observation("h", "server", "10.0.0.1", None, {"serial": ["CZ3411AB0C"]}, {"name": "h"},
                       components=[Component("/", "file_system", "/", attributes={"type": "ext4"})])  # fmt: skip
    estate.tell(0, seen)
    told = show(estate.store, VIEWER, estate.ci("/")["id"], now_ms=minute(YEARS))
    assert (told.summary.parent, told.summary.stage) == (estate.ci("h")["id"], "retired")
