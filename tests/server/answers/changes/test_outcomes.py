"""What came of changes, by whom and what."""

from __future__ import annotations

from cmdb_server.answers.changes.outcomes import done, past, success
from tests.booked_shop import BookedShop
from tests.shop import VIEWER


def ended(shop: BookedShop, ci: str, outcome: str, at: float, **body: object) -> str:
    change = shop.book(ci, at=(at, at + 1), **body)  # type: ignore[arg-type]
    shop.go(change.number, "implement", note="all the same")
    return shop.go(change.number, "review", outcome=outcome).number


def test_changes_that_went_wrong_are_counted_by_what_they_have_in_common(shop: BookedShop) -> None:
    ended(shop, "web1", "successful", 10, team="web")
    ended(shop, "web1", "failed", 20, team="web")
    ended(shop, "web2", "with_issues", 30, team="web")
    ended(shop, "db", "backed_out", 40, team="data")
    shop.change("db")
    by_team = {one.name: one for one in success(shop.projections, VIEWER, "team").items}
    assert (by_team["web"].changes, by_team["web"].failed, by_team["web"].with_issues) == (3, 1, 1)
    assert (by_team["data"].changes, by_team["data"].failed, by_team["data"].rate) == (1, 1, 0.0)
    [everything] = success(shop.projections, VIEWER, "all").items
    assert (everything.changes, everything.failed, everything.rate) == (4, 2, 0.5)
    assert {one.name: one.failed for one in success(shop.projections, VIEWER, "ci").items}[shop.ids["web1"]] == 1
    scored = success(shop.projections, VIEWER, "all").calibration
    assert (sum(one.wrong for one in scored), sum(one.changes for one in scored)) == (2, 4)


def test_few_changes_of_the_same_cis_are_filled_up_with_those_of_the_same_type(shop: BookedShop) -> None:
    for place in range(5):
        ended(shop, "web1", "failed" if place else "successful", 10 + place)
    ended(shop, "db", "successful", 30)
    changes = shop.store.read(done)
    assert past(changes, [shop.ids["web1"]], "normal") == (4, 5)
    assert past(changes, [shop.ids["db"]], "normal") == (4, 6)
    assert past(changes, [shop.ids["db"]], "standard") == (0, 1)
