"""What came of a change is kept once, and whether all of it was seen."""

from __future__ import annotations

from cmdb_server.practices import kept_rows, verifications
from cmdb_server.store.port import Store
from tests.booked_shop import BookedShop
from tests.estate import Estate, minute
from tests.factories import host


def test_the_same_again_is_not_kept_twice(store: Store) -> None:
    number = BookedShop(store).change("web1").number
    first, again, other = (
        verifications.keep(store, number, "s", {"outcomes": []}, 5, holds=holds, seen=True)
        for holds in (True, True, False)
    )
    assert first.number == again.number != other.number
    assert [one.state for one in kept_rows.every(store, "verification").items] == ["superseded", "current"]


def test_seen_is_what_every_scan_tells_again(store: Store) -> None:
    estate = Estate(store)
    estate.tell(0, host("a", "10.0.0.1"))
    estate.tell(1, host("a", "10.0.0.1"), source="snmp")
    ci = estate.ci("a")["id"]

    def seen(at: float) -> bool:
        return store.read(lambda tx: verifications.seen_since(tx, [ci], minute(at)))

    assert seen(0) and not seen(1)
    estate.tell(5, host("a", "10.0.0.1"))
    assert seen(1) and not seen(5)
    estate.tell(6, host("a", "10.0.0.1"), source="snmp")
    assert seen(5) and not seen(6)


def test_what_people_entered_need_not_be_seen_again(store: Store) -> None:
    shop = BookedShop(store)
    assert store.read(lambda tx: verifications.seen_since(tx, shop.ids.values(), shop.at + 1))
