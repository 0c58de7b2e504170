from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cmdb_server.answers.also import Asked
from cmdb_server.answers.impact import impact
from cmdb_server.answers.render.impact_report import impact_report, minutes, title
from cmdb_server.answers.service_levels import ServiceLevelTold
from cmdb_server.model.instants import rfc3339
from cmdb_server.practices import kept
from cmdb_server.practices.kept import By
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import BookedShop
from tests.shop import NOW, VIEWER, Shop


def test_services_come_first_with_owner_and_criticality(shop: Shop) -> None:
    told = impact_report(shop.impact("db-host"))
    assert told.title == "What breaks if server db-host fails"
    assert told.verdict == "4 down; 2 of them services."
    services, cis = told.told()
    assert services.rows[0].cells[:4] == ("✖ down", "shop", "business_service", "most_critical")
    assert [row.cells[1] for row in cis.rows] == ["db", "app"]
    assert cis.rows[0].cells[-1][0] == "server db-host down (fails itself)"
    assert "0 of 1 serving, needs 1" in cis.rows[0].cells[-1][1]


def test_redundancy_that_is_lost_is_no_failure(shop: Shop) -> None:
    told = impact_report(shop.impact("web1"))
    assert told.verdict == "Nothing else breaks; 1 gates lose redundancy and hold."
    (lost,) = told.told()
    assert lost.rows[0].cells == (
        "lb", "load_balancer", "load_balances server: 1 of 2 serving, needs 1", "web1", "0 more", "web2",
    )  # fmt: skip


def test_what_is_not_listed_is_said(shop: Shop) -> None:
    services, cis = impact_report(shop.impact("db-host", limit=1)).told()
    assert (services.more, cis.more) == ("1 more services not listed", "1 more CIs not listed")


def test_many_failed_are_counted_in_the_title(shop: Shop) -> None:
    answer = shop.impact("web1", "web2")
    assert title(answer).endswith(" fail together") and "server web1" in title(answer)
    assert title(replace(answer, failed=answer.failed * 2)) == "What breaks if 4 CIs fail together"


def test_certificate_and_the_spared_are_facts(shop: Shop) -> None:
    facts = dict(impact_report(shop.impact("db-host", not_impacted=("app",))).facts)
    assert facts["Held to stay up"] == "application app"
    assert facts["Certificate"].startswith("2 claims and ")


def test_what_else_is_booked_or_open_is_told_beside(tmp_path: Path) -> None:
    shop = BookedShop(SqliteStore(tmp_path / "cmdb.db"))
    down = {"down": [shop.ids["web2"]]}
    kept.open_(shop.store, "outage", {"started_at": rfc3339(NOW)}, down, By("olga", ("operator",), shop.at))
    answer = impact(shop.projections, VIEWER, [shop.ids["web1"]], also=Asked("both"))
    sections = {one.heading: one for one in impact_report(answer).told()}
    assert sections["Booked or open besides"].rows[0].cells[:3] == ("OUT0000001", "outage", "open")
    assert {row.cells[0] for row in sections["Down of both together only"].rows} >= {"shop", "lb"}
    assert sections["Where both meet"].rows[0].cells[2].startswith("OUT0000001")


def test_minutes_left_of_what_was_agreed() -> None:
    assert minutes(None) == ""
    assert minutes(ServiceLevelTold(99.9, 0, 1, 43.2, 40, None)) == "40 of 43.2"
    assert minutes(ServiceLevelTold(99.9, 0, 1, 43.2, 40, -20)) == "40 of 43.2, -20 after this"
