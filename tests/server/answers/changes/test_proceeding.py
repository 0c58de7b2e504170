"""From a request to its booking: assessed, approved by the owners, kept to the calendar; and what stands in the way."""

from __future__ import annotations

import pytest

from cmdb_server.answers.changes.proceeding import assess_and_keep
from cmdb_server.errors import CmdbError, Conflict, Forbidden, Invalid
from cmdb_server.practices import kept, kept_rows
from cmdb_server.practices.kept_rows import Kept
from tests.booked_shop import HOUR, BookedShop, window
from tests.shop import NOW, VIEWER


@pytest.fixture
def owned(shop: BookedShop) -> BookedShop:
    """With a service that cleo owns."""
    shop.enter("bank", "business_service", owned_by="cleo")
    shop.relate("bank", "depends_on", "db")
    return shop


def authorised(shop: BookedShop, *changed: str, **body: object) -> Kept:
    made = shop.change(*changed, **body)  # type: ignore[arg-type]
    shop.go(made.number, "assess")
    return shop.go(made.number, "authorise")


def states(shop: BookedShop, number: str) -> dict[str, str]:
    return {one.body.get("approver", "any"): one.state for one in shop.approvals(number)}


def test_a_change_goes_its_way(owned: BookedShop) -> None:
    change = authorised(owned, "db-host")
    assert states(owned, change.number) == {"any": "requested", "cleo": "requested"}
    with pytest.raises(Conflict, match="not approved by all"):
        owned.go(change.number, "schedule", "bob", "approver")
    owned.approve(change.number)
    assert owned.go(change.number, "schedule", "bob", "approver").state == "scheduled"
    owned.at = int(NOW + 10 * HOUR)
    assert owned.go(change.number, "implement").state == "implement"


def test_approvals_are_their_owners_to_give(owned: BookedShop) -> None:
    change = authorised(owned, "db-host")
    by = {one.body.get("approver", "any"): one.number for one in owned.approvals(change.number)}
    for number, subject, role in (
        (by["cleo"], "bob", "approver"), (by["any"], "dora", "operator"), (by["any"], "ann", "approver"),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            owned.go(number, "approve", subject, role)
    assert states(owned, change.number) == {"any": "requested", "cleo": "requested"}


def test_nobody_approves_their_own_change_of_their_own_service(owned: BookedShop) -> None:
    change = authorised(owned, "db-host", subject="cleo")
    [asked] = owned.approvals(change.number)
    with pytest.raises(Forbidden):
        owned.go(asked.number, "approve", "cleo", "approver")
    assert owned.go(asked.number, "approve", "bob", "approver").state == "approved"


def test_an_approval_of_what_no_longer_holds_is_refused(owned: BookedShop) -> None:
    change = authorised(owned, "db-host")
    asked = {one.body.get("approver", "any"): one.number for one in owned.approvals(change.number)}
    owned.go(asked["any"], "approve", "bob", "approver")
    owned.enter("mail", "business_service", owned_by="dora")
    owned.relate("mail", "depends_on", "db")
    with pytest.raises(Conflict, match="void"):
        owned.go(asked["cleo"], "approve", "cleo", "reader")
    assert {kept_rows.one(owned.store, number).state for number in asked.values()} == {"void"}
    assert states(owned, change.number) == {"any": "requested", "cleo": "requested", "dora": "requested"}


def test_approvals_stay_while_what_they_are_about_stays(owned: BookedShop) -> None:
    change = authorised(owned, "db-host")
    owned.approve(change.number)
    owned.enter("elsewhere", "server")
    assert owned.go(change.number, "schedule", "bob", "approver").state == "scheduled"
    assert set(states(owned, change.number).values()) == {"approved"}


def test_without_an_assessment_nothing_is_booked_behind_the_practice(owned: BookedShop) -> None:
    change = authorised(owned, "db-host")
    owned.approve(change.number)
    owned.enter("elsewhere", "server")
    with pytest.raises(Conflict, match="the graph moved on"):
        kept.move(owned.store, change.number, "schedule", owned.by("bob", "approver"))
    assert kept_rows.one(owned.store, change.number).state == "authorise"


def test_a_fatal_collision_is_booked_only_with_a_reason(shop: BookedShop) -> None:
    other = shop.book("web2")
    change = authorised(shop, "web1")
    with pytest.raises(Conflict, match="not approved by all"):
        shop.go(change.number, "schedule", "bob", "approver")
    shop.approve(change.number)
    with pytest.raises(Invalid, match=other.number) as refused:
        shop.go(change.number, "schedule", "bob", "approver")
    assert [one["path"] for one in refused.value.extra["errors"]] == ["note"]
    assert shop.go(change.number, "schedule", "bob", "approver", note="the shop is closed").state == "scheduled"


@pytest.mark.parametrize(("type_", "emergencies", "stopped"), [
    ("normal", True, True), ("emergency", True, False), ("emergency", False, True),
])  # fmt: skip
def test_a_freeze_stops_what_it_does_not_let_through(
    shop: BookedShop, type_: str, *, emergencies: bool, stopped: bool
) -> None:
    freeze = shop.keep("freeze", windows=[window(0, 100)], emergencies=emergencies)
    change = shop.change("web1", type=type_)
    if type_ == "normal":
        shop.go(change.number, "assess")
    shop.go(change.number, "authorise")
    shop.approve(change.number)
    if stopped:
        with pytest.raises(Conflict, match=freeze.number):
            shop.go(change.number, "schedule", "bob", "approver")
    else:
        assert shop.go(change.number, "schedule", "bob", "approver", "it leaks").state == "scheduled"


def test_a_standard_change_keeps_to_its_template(shop: BookedShop) -> None:
    template = shop.keep("template", selector='class == "server"', longest="PT2H", plan="p", back_out="b")
    told = {"type": "standard", "template": template.number}
    with pytest.raises(Conflict, match="no approved template"):
        shop.go(shop.change("web1", **told).number, "schedule")
    shop.go(template.number, "approve", "dora", "approver")
    assert shop.go(shop.change("web1", **told).number, "schedule").state == "scheduled"
    for change in (shop.change("db", **told), shop.change("web2", at=(20, 23), **told)):
        with pytest.raises(Conflict, match="does not keep to its template"):
            shop.go(change.number, "schedule")


def test_nobody_writes_an_assessment_by_hand(shop: BookedShop) -> None:
    change = shop.change("web1")
    kept_one, _ = assess_and_keep(shop.projections, VIEWER, change.number)
    for role in ("admin", "operator", "approver", "reader"):
        with pytest.raises(Forbidden):
            kept.open_(shop.store, "assessment", dict(kept_one.body), {}, shop.by("eve", role))
        with pytest.raises(Forbidden):
            kept.edit(shop.store, kept_one.number, kept_one.version, {"score": 0}, shop.by("eve", role))


def test_what_is_refused_leaves_the_change_as_it_was(shop: BookedShop) -> None:
    change = shop.change("web1")
    for transition in ("authorise", "schedule", "implement", "review", "close", "nonsense"):
        with pytest.raises(CmdbError):
            shop.go(change.number, transition)
    assert kept_rows.one(shop.store, change.number) == change


def test_an_approval_whose_ground_has_moved_names_what_asks_in_its_place(shop: BookedShop) -> None:
    shop.enter("bank", "business_service", owned_by="cleo")
    shop.relate("bank", "depends_on", "rack")
    change = shop.change("rack")
    for way in ("assess", "authorise"):
        shop.go(change.number, way)
    [asked] = [one for one in shop.approvals(change.number) if one.body.get("approver") == "cleo"]
    shop.enter("mint", "business_service", owned_by="cleo")
    shop.relate("mint", "depends_on", "rack")
    for _ in range(2):
        with pytest.raises(Conflict, match=rf"{asked.number} is void: what {change.number} was assessed") as refused:
            shop.go(asked.number, "approve", "cleo", "reader")
        [instead] = refused.value.extra["approvals"]
    assert instead in {one.number for one in shop.approvals(change.number)}
    assert shop.go(instead, "approve", "cleo", "reader").state == "approved"
    shop.go(change.number, "cancel", note="not now")
