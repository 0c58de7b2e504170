from __future__ import annotations

from pathlib import Path

from cmdb_server.answers.changes.assessment import assess
from cmdb_server.answers.render.assessment_report import assessment_report
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import BookedShop, window
from tests.shop import VIEWER


def test_all_that_a_change_manager_has_to_know(tmp_path: Path) -> None:
    shop = BookedShop(SqliteStore(tmp_path / "cmdb.db"))
    shop.book("web2")
    shop.keep("freeze", summary="year's end", windows=[window(11, 13)])
    shop.keep("maintenance_window", role="operator", windows=[window(10, 11)])
    change = shop.change("web1", implementers=["cleo"])
    told = assessment_report(assess(shop.projections, VIEWER, change.number))
    assert told.title == f"Assessment of {change.number}"
    assert "fatal together" in told.verdict and "freeze" in told.verdict and told.verdict.startswith("Risk ")
    facts, sections = dict(told.facts), {one.heading: one for one in told.told()}
    assert facts["In maintenance windows"].startswith("50% of its time")
    (collision,) = sections["Collisions"].rows
    assert collision.cells[0] == "CHG0000001" and "shop" in str(collision.cells[2])
    assert sections["Freezes"].rows[0].cells[1] == "year's end"
    assert sections["Redundancy lost"].rows[0].cells[0] == "lb"
    assert sum(float(str(row.cells[0])) for row in sections["Risk"].rows) > 0


def test_of_a_change_that_hits_services_it_says_who_approves(tmp_path: Path) -> None:
    shop = BookedShop(SqliteStore(tmp_path / "cmdb.db"))
    change = shop.change("db")
    told = assessment_report(assess(shop.projections, VIEWER, change.number))
    approvals = told.told()[0]
    assert {row.cells for row in approvals.rows} == {
        ("✖ down", "shop", "business_service", "any approver"), ("✖ down", "wiki", "business_service", "any approver"),
    }  # fmt: skip
    assert "2 services are hit" in told.verdict
