"""The next free slot: allowed, not frozen, and collides with nothing, not even in threes."""

from __future__ import annotations

import pytest

from cmdb_server.answers.changes.assessment import assess
from cmdb_server.answers.changes.slots import SlotAnswer, next_slot
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.practices import kept
from cmdb_server.practices.kept_rows import Kept
from tests.booked_shop import HOUR, BookedShop, window
from tests.shop import NOW, VIEWER


def slot(shop: BookedShop, change: Kept, hours: float | None = None, after: float = 10) -> SlotAnswer:
    length = None if hours is None else int(hours * HOUR)
    return next_slot(shop.projections, VIEWER, change.number, length, int(NOW + after * HOUR))


def hours(found: SlotAnswer) -> tuple[float, float] | None:
    return None if found.slot is None else ((found.slot.start - NOW) / HOUR, ((found.slot.end or 0) - NOW) / HOUR)


def test_now_where_nothing_is_in_the_way(shop: BookedShop) -> None:
    assert hours(slot(shop, shop.change("web1"))) == (10, 12)


def test_not_with_what_is_fatal_together_nor_on_the_same_cis(shop: BookedShop) -> None:
    fatal, same = shop.book("web2", at=(9, 13)), shop.book("web1", at=(14, 16))
    shop.book("rack", at=(16, 30), note="far off", interruption="none")
    found = slot(shop, shop.change("web1"))
    assert hours(found) == (16, 18)
    assert set(found.in_the_way) == {fatal.number, same.number}
    assert hours(slot(shop, shop.change("web1"), 1)) == (13, 14)


def test_within_windows_and_out_of_freezes(shop: BookedShop) -> None:
    shop.keep("maintenance_window", {"maintained": ["web1"]}, windows=[window(20, 23, rrule="FREQ=DAILY")])
    shop.keep("freeze", windows=[window(0, 45)])
    found = slot(shop, shop.change("web1"))
    assert hours(found) == (45, 47)
    assert found.frozen > 0
    assert hours(slot(shop, shop.change("web1", type="emergency"))) == (20, 22)
    assert hours(slot(shop, shop.change("web1"), 4)) is None


def test_not_where_it_is_fatal_with_two_at_once(shop: BookedShop) -> None:
    shop.enter("web3", "server")
    shop.relate("lb", "load_balances", "web3", "web1", "web2")
    shop.book("web2", at=(10, 20))
    shop.book("web3", at=(12, 14), note="two of three")
    change = shop.change("web1", at=(10, 13))
    assert assess(shop.projections, VIEWER, change.number).collisions
    found = slot(shop, change)
    assert hours(found) == (14, 17)
    kept.edit(shop.store, change.number, change.version, {"windows": [window(14, 17)]}, shop.by())
    assert assess(shop.projections, VIEWER, change.number).collisions == ()


def test_what_cannot_be_asked_says_why(shop: BookedShop) -> None:
    with pytest.raises(Invalid, match="length"):
        slot(shop, shop.change("web1"), 0)
    with pytest.raises(Invalid, match="at most 90 days"):
        slot(shop, shop.change("web1"), 24 * 91)
    with pytest.raises(NotFound):
        next_slot(shop.projections, VIEWER, "CHG0000099")
