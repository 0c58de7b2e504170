"""A release as a sequence: each change on the graph that those before it leave."""

from __future__ import annotations

import pytest

from cmdb_server.answers.changes.release import ReleaseAnswer, release
from cmdb_server.errors import Invalid, NotFound
from tests.booked_shop import HOUR, BookedShop
from tests.shop import NOW, VIEWER


def assessed(shop: BookedShop, *numbers: str) -> ReleaseAnswer:
    return release(shop.projections, VIEWER, shop.keep("release", changes=list(numbers)).number)


def down(found: ReleaseAnswer) -> dict[str | None, list[tuple[float, float]]]:
    assert found.impact is not None
    return {
        one.affected.ci.name: [
            ((span.start - NOW) / HOUR, ((span.end or 0) - NOW) / HOUR) for span in one.affected.down
        ]
        for one in found.impact.services
    }


def test_one_after_the_other_harms_nobody_and_at_once_everybody(shop: BookedShop) -> None:
    one, other = shop.change("web1", at=(10, 12)).number, shop.change("web2", at=(12, 14)).number
    apart = assessed(shop, one, other)
    assert down(apart) == {}
    assert [(each.number, each.late) for each in apart.changes] == [(one, False), (other, False)]
    close = assessed(shop, one, shop.change("web2", at=(11, 14)).number)
    assert down(close) == {"shop": [(11, 12)], "wiki": [(11, 12)]}
    assert [each.late for each in close.changes] == [False, True]


def test_a_later_change_meets_the_graph_that_an_earlier_one_left(shop: BookedShop) -> None:
    gone = [{"edit": "remove", "ci": shop.ids["web1"]}]
    first = shop.change("web1", at=(10, 12), expected=gone).number
    assert down(assessed(shop, first, shop.change("web2", at=(13, 14)).number)) == {
        "shop": [(13, 14)], "wiki": [(13, 14)],
    }  # fmt: skip


def test_what_cannot_be_released_says_why(shop: BookedShop) -> None:
    out = shop.keep("outage", {"down": ["db"]}, "operator").number
    with pytest.raises(Invalid, match=r"changes\[0\]"):
        assessed(shop, out)
    with pytest.raises(NotFound):
        release(shop.projections, VIEWER, out)
    with pytest.raises(Invalid, match="there is no CHG0000099"):
        assessed(shop, "CHG0000099")
