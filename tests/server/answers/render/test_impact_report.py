from __future__ import annotations

from dataclasses import replace

from cmdb_server.answers.render.impact_report import impact_report, title
from tests.shop import Shop


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
        "lb", "load_balancer", "load_balances server: 1 of 2 serving, needs 1", "0 more", "web2",
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
