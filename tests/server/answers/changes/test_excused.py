"""Which changes a difference may come of."""

from __future__ import annotations

import pytest

from cmdb_server.answers.changes.excused import SEEN_WITHIN, Excuses
from cmdb_server.answers.changes.strays import Cis
from cmdb_server.answers.diff import Difference
from cmdb_server.ingest.decisions import decide
from cmdb_server.ingest.declare import resolve_all
from tests.booked_shop import HOUR, BookedShop
from tests.shop import NOW


def excused(shop: BookedShop, at: float, *ids: str, kind: str = "ci") -> bool:
    one = Difference(kind, "changed", ids, "server", "x", {})
    seen = int(NOW + at * HOUR)
    return shop.store.read(lambda tx: Excuses(tx, Cis(tx, [ids[0], ids[-1]]), seen).covers(seen, one))


def test_from_its_beginning_to_a_day_after_its_end(shop: BookedShop) -> None:
    shop.book("web1", at=(10, 12))
    day = SEEN_WITHIN / HOUR
    times = (9.9, 10, 11, 12 + day - 0.1, 12 + day)
    assert [excused(shop, at, shop.ids["web1"]) for at in times] == [False, True, True, True, False]
    assert not excused(shop, 11, shop.ids["web2"])
    assert excused(shop, 11, shop.ids["db"], "depends_on", shop.ids["web1"], kind="relation")


def test_one_that_is_over_when_it_was_over(shop: BookedShop) -> None:
    number = shop.book("web1", at=(10, 12)).number
    shop.at = int(NOW + 10 * HOUR)
    shop.go(number, "implement")
    shop.at += HOUR // 2
    assert excused(shop, 40, shop.ids["web1"]), "it is under way until it is said to have ended"
    shop.go(number, "review", outcome="successful")
    assert excused(shop, 34.4, shop.ids["web1"]) and not excused(shop, 34.6, shop.ids["web1"])


def test_one_that_comes_again(shop: BookedShop) -> None:
    start, end = ("2023-11-15T00:00:00Z", "2023-11-15T02:00:00Z")
    shop.book("web1", windows=[{"start": start, "end": end, "rrule": "FREQ=WEEKLY"}])
    nights = [excused(shop, 24 * day + 2, shop.ids["web1"]) for day in range(9)]
    assert nights == [True, True, False, False, False, False, False, True, True]


def test_of_what_was_merged_since(shop: BookedShop) -> None:
    shop.book("web1", at=(10, 12))
    decide(shop.store, "ann", "merge", {"sides": [[shop.ids["web1"]], [shop.ids["web2"]]]}, "one box", shop.at)
    living = shop.store.read(lambda tx: set(resolve_all(tx, [shop.ids["web1"], shop.ids["web2"]]).values()))
    assert len(living) == 1 and excused(shop, 11, *living)


@pytest.mark.parametrize("state", ["new", "assess", "authorise", "cancelled"])
def test_not_of_what_was_never_booked(shop: BookedShop, state: str) -> None:
    number = shop.change("web1", at=(10, 12)).number
    for way in ("assess", "authorise"):
        if state in ("authorise", way):
            shop.go(number, way)
        if way == state:
            break
    if state == "cancelled":
        shop.go(number, "cancel", note="no")
    assert not excused(shop, 11, shop.ids["web1"])
