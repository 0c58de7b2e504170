from __future__ import annotations

from cmdb_server.answers.paths import path
from cmdb_server.answers.render.standing_report import (
    path_report,
    requires_report,
    services_report,
    single_points_report,
)
from cmdb_server.answers.requires import requires
from cmdb_server.answers.services import services_of
from cmdb_server.answers.single_points import single_points_of
from tests.shop import VIEWER, Shop


def test_what_a_ci_stands_on(shop: Shop) -> None:
    told = requires_report(requires(shop.projections, VIEWER, shop.ids["shop"], limit=2))
    assert (told.title, told.verdict) == ("What business_service shop stands on", "7 CIs.")
    (section,) = told.told()
    assert section.columns == ("Hops", "CI", "Class") and section.rows[0].cells == ("1", "app", "application")
    assert section.more == "5 more CIs not listed"


def test_services_with_the_way_to_them(shop: Shop) -> None:
    (section,) = services_report(services_of(shop.projections, VIEWER, shop.ids["web1"])).told()
    assert {row.cells[1] for row in section.rows} == {"shop", "wiki"}
    assert section.rows[0].cells[-1][:2] == ("server web1", "load_balancer lb")


def test_a_way_and_none(shop: Shop) -> None:
    told = path_report(path(shop.projections, VIEWER, shop.ids["web1"], shop.ids["shop"]))
    assert told.verdict == "3 gates lie between."
    assert told.sections[0].rows[1].cells[2] == "load_balances server: 2 of 2 serving, needs 1"
    none = path_report(path(shop.projections, VIEWER, shop.ids["shop"], shop.ids["web1"]))
    assert none.verdict == "There is no way." and none.told() == ()


def test_single_points_and_pairs(shop: Shop) -> None:
    answer = single_points_of(shop.projections, VIEWER, shop.ids["shop"], pairs=True)
    alone, both = single_points_report(answer).told()
    assert {row.cells[0] for row in alone.rows} == {"app", "lb", "db", "db-host", "rack"}
    assert {row.cells for row in both.rows} in ({("server web1", "server web2")}, {("server web2", "server web1")})
    lonely = single_points_of(shop.projections, VIEWER, shop.ids["db"], pairs=True)
    assert [section.more for section in single_points_report(lonely).told()][-1] == "no pair is fatal"
