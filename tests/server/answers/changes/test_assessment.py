"""What a change manager is told before a change: who is hit, what else is booked, the calendar, the risk."""

from __future__ import annotations

import json

import pytest

from cmdb_server.answers.changes.assessment import Assessment, assess
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.ingest import decisions
from tests.booked_shop import BookedShop, window
from tests.shop import NOW, VIEWER

HOUR = 3_600_000


def assessed(shop: BookedShop, number: str) -> Assessment:
    found = assess(shop.projections, VIEWER, number)
    json.dumps(found.as_json())
    return found


def test_a_change_of_one_of_a_pool_hits_nobody(shop: BookedShop) -> None:
    found = assessed(shop, shop.change("web1").number)
    assert (found.approvals, found.overlaps, found.collisions) == ((), (), ())
    assert found.impact is not None
    assert [one.ci.name for one in found.impact.redundancy_lost] == ["lb"]
    assert [(span.start, span.end) for span in found.spans] == [(NOW + 10 * HOUR, NOW + 12 * HOUR)]


def test_the_owners_of_the_services_hit_are_named(shop: BookedShop) -> None:
    shop.enter("bank", "business_service", owned_by="cleo", business_criticality="critical")
    shop.relate("bank", "depends_on", "db")
    found = assessed(shop, shop.change("db-host").number)
    assert {(one.service.name, one.state, one.owner) for one in found.approvals} == {
        ("shop", "down", None), ("wiki", "down", None), ("bank", "down", "cleo"),
    }  # fmt: skip
    assert found.risk.terms[0].name == "services"


def test_one_that_interrupts_nothing_hits_nobody(shop: BookedShop) -> None:
    found = assessed(shop, shop.change("db-host", interruption="none").number)
    assert (found.impact, found.approvals) == (None, ())


def test_two_harmless_changes_are_fatal_together(shop: BookedShop) -> None:
    other = shop.book("web2")
    found = assessed(shop, shop.change("web1", at=(11, 13)).number)
    [collision] = found.collisions
    assert collision.numbers == (other.number,)
    assert {one.name for one in collision.together} == {"lb", "app", "shop", "wiki"}
    [met] = collision.meetings
    assert (met.ci.name, met.numbers, met.group, met.masked) == ("lb", (other.number,), False, False)
    assert met.text == "0 of 2 serving, needs 1"
    assert [(one.start, one.end) for one in collision.spans] == [(NOW + 11 * HOUR, NOW + 12 * HOUR)]
    assert {(one.service.name, one.state, one.criticality, one.with_) for one in found.approvals} == {
        ("shop", "down", "most_critical", (other.number,)), ("wiki", "down", "not_critical", (other.number,)),
    }  # fmt: skip
    assert assessed(shop, shop.change("web1", at=(12, 13)).number).collisions == ()


def test_what_only_goes_on_meanwhile_is_blamed_for_nothing_and_voids_no_approval(shop: BookedShop) -> None:
    shop.enter("aside", "server")
    shop.enter("ledger", "business_service")
    for name in ("db-1", "db-2"):
        shop.enter(name, "server")
    shop.enter("pool", "load_balancer")
    shop.relate("pool", "load_balances", "db-1", "db-2")
    shop.relate("ledger", "depends_on", "pool")
    web, base = shop.book("web2"), shop.book("db-2", at=(10.5, 12))
    mine = shop.change("web1", "db-1").number
    before = assessed(shop, mine)
    with_ = {one.service.name: one.with_ for one in before.approvals}
    assert with_ == {"shop": (web.number,), "wiki": (web.number,), "ledger": (base.number,)}
    shop.book("aside", at=(11, 11.5))
    after = assessed(shop, mine)
    assert after.collisions == before.collisions and after.substance == before.substance
    assert [(one.numbers, [(span.start, span.end) for span in one.spans]) for one in after.collisions] == [
        ((web.number, base.number), [(NOW + 10.5 * HOUR, NOW + 12 * HOUR)]),
        ((web.number,), [(NOW + 10 * HOUR, NOW + 10.5 * HOUR)]),
    ]


def test_what_is_retired_is_not_told_to_be_harmless(shop: BookedShop) -> None:
    mine, begun = shop.change("db", "web1").number, shop.book("web1", at=(0, 2)).number
    shop.go(begun, "implement", note="now")
    body = {"sides": [[shop.ids["web1"]]], "hold_back": True}
    decisions.decide(shop.store, "ann", "tombstone", body, "sold", shop.at + 1)
    with pytest.raises(Invalid) as told:
        assessed(shop, mine)
    assert told.value.extra["errors"] == [{"path": "cis.changed[1]", "message": f"{shop.ids['web1']} is retired"}]
    assert assessed(shop, begun).approvals == (), "what is begun may be what retired it"


def test_what_is_open_collides_too(shop: BookedShop) -> None:
    out = shop.keep("outage", {"down": ["web2"]}, "operator")
    [collision] = assessed(shop, shop.change("web1").number).collisions
    assert collision.numbers == (out.number,)


def test_changes_of_the_same_and_of_neighbouring_cis_overlap(shop: BookedShop) -> None:
    same, below, above = (
        shop.book("db", note="as well"),
        shop.book("db-host", note="as well"),
        shop.book("app", note="x"),
    )
    found = {one.number: one for one in assessed(shop, shop.change("db", at=(11, 20)).number).overlaps}
    assert [one.name for one in found[same.number].same] == ["db"]
    assert [one.name for one in found[below.number].providers] == ["db-host"]
    assert [one.name for one in found[above.number].consumers] == ["app"]


def test_the_same_people_cannot_be_in_two_places(shop: BookedShop) -> None:
    other = shop.book("web2", implementers=["dora", "emil"])
    [found] = assessed(shop, shop.change("rack", implementers=["emil"]).number).overlaps
    assert (found.number, found.people) == (other.number, ("emil",))


def test_freezes_and_windows_hold_for_what_they_select(shop: BookedShop) -> None:
    freeze = shop.keep("freeze", windows=[window(0, 11)], selector='class == "database_instance"')
    mine = shop.keep("maintenance_window", {"maintained": ["db"]}, windows=[window(11, 30)])
    shop.keep("maintenance_window", {"maintained": ["web1"]}, windows=[window(50, 60)])
    found = assessed(shop, shop.change("db").number).conditions
    assert [one.number for one in found.freezes] == [freeze.number]
    assert (found.windows, found.in_windows) == ((mine.number,), 0.5)
    assert [(one.start, one.end) for one in found.outside] == [(NOW + 10 * HOUR, NOW + 11 * HOUR)]
    assert assessed(shop, shop.change("db-host").number).conditions.freezes == ()


def test_what_cannot_be_assessed_says_why(shop: BookedShop) -> None:
    far = shop.change("db", at=(24 * 400, 24 * 400 + 2))
    with pytest.raises(Invalid, match="none of them begins within a year"):
        assessed(shop, far.number)
    over = shop.change("db")
    shop.at += 20 * HOUR
    with pytest.raises(Invalid, match="all of them are over"):
        assessed(shop, over.number)
    with pytest.raises(NotFound):
        assessed(shop, "CHG9999999")
    with pytest.raises(NotFound):
        assessed(shop, shop.keep("outage", {"down": ["db"]}, "operator").number)


def test_the_substance_is_what_people_decide_upon(shop: BookedShop) -> None:
    change = shop.change("web1")
    before = assessed(shop, change.number)
    shop.enter("somewhere-else", "server")
    again = assessed(shop, change.number)
    assert again.revision > before.revision
    assert again.substance == before.substance
    shop.need_both()
    assert assessed(shop, change.number).substance != before.substance


def test_a_service_that_is_changed_is_hit(shop: BookedShop) -> None:
    shop.enter("bank", "business_service", owned_by="cleo", business_criticality="critical")
    found = assess(shop.projections, VIEWER, shop.change("bank").number)
    assert [(one.service.name, one.state, one.owner) for one in found.approvals] == [("bank", "down", "cleo")]
    degraded = assess(shop.projections, VIEWER, shop.change("bank", interruption="degraded").number)
    assert [one.state for one in degraded.approvals] == ["degraded"] and degraded.risk.score < found.risk.score
    assert assess(shop.projections, VIEWER, shop.change("bank", interruption="none").number).approvals == ()


def test_what_only_degrades_takes_no_service_down(shop: BookedShop) -> None:
    found = assess(shop.projections, VIEWER, shop.change("db-host", interruption="degraded").number)
    assert {one.state for one in found.approvals} == {"degraded"}
