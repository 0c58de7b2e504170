"""Nothing planned is booked or begun in a freeze without an exemption, and no emergency without a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cmdb_server.errors import Conflict, Forbidden, Invalid
from cmdb_server.practices import freezes, kept, kept_rows
from cmdb_server.practices.kind import EDIT, OPEN
from cmdb_server.practices.kind_files import kinds
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import HOUR, BookedShop, window
from tests.shop import NOW


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[BookedShop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield BookedShop(store)
    store.close()


def freeze(shop: BookedShop, start: float, end: float, *, emergencies: bool = True) -> str:
    return shop.keep("freeze", windows=[window(start, end)], emergencies=emergencies).number


def emergency(shop: BookedShop) -> str:
    number = shop.change("web1", type="emergency").number
    shop.go(number, "authorise")
    return number


def standard(shop: BookedShop) -> str:
    template = shop.keep("template", selector='class == "server"', plan="p", back_out="b")
    shop.go(template.number, "approve", "dora", "approver")
    return shop.change("web1", type="standard", template=template.number).number


def authorised(shop: BookedShop) -> str:
    number = shop.change("web1").number
    for way in ("assess", "authorise"):
        shop.go(number, way)
    shop.approve(number)
    return number


def exempt(
    shop: BookedShop, number: str, *froze: str, subject: str = "bob", note: str = "the auditors want it"
) -> None:
    shop.go(number, "exempt", subject, "approver", note, exempt_from=list(froze))


@pytest.mark.parametrize("planned", [authorised, standard])
def test_what_was_planned_is_not_booked_in_it(shop: BookedShop, planned: Callable[[BookedShop], str]) -> None:
    number, named = planned(shop), freeze(shop, 11, 20)
    with pytest.raises(Conflict, match=rf"{number} lies in the freeze {named} \(freeze\): wait, or") as refused:
        shop.go(number, "schedule", "bob", "admin", "a note is no reason")
    assert refused.value.extra["freezes"] == [named]
    exempt(shop, number, named)
    assert shop.go(number, "schedule", "bob", "admin").state == "scheduled"


@pytest.mark.parametrize(
    ("begun", "frozen"), [(5, (4, 6)), (5, (6, 20)), (5, (7.1, 8)), (10.5, (11, 30)), (10.5, (12, 30))]
)
def test_what_was_booked_before_is_not_begun_in_it(shop: BookedShop, begun: float, frozen: tuple[float, float]) -> None:
    """At its time or outside of it, with however many notes; nor where it would run into one."""
    number = shop.book("web1", at=(10, 12)).number
    named = freeze(shop, *frozen)
    shop.at = int(NOW + begun * HOUR)
    if frozen[0] < (begun + 2 if begun < 10 else 12):
        with pytest.raises(Conflict, match=named):
            shop.go(number, "implement", note="the van is here already")
        exempt(shop, number, named)
    assert shop.go(number, "implement", note="the van is here already").state == "implement"


def test_of_one_that_comes_again_only_the_time_that_begins_is_looked_at(shop: BookedShop) -> None:
    number = shop.book("web1", windows=[window(10, 12, rrule="FREQ=DAILY;COUNT=9", zone="Europe/Berlin")]).number
    freeze(shop, 50, 100)
    shop.at = NOW + 10 * HOUR
    assert shop.go(number, "implement").state == "implement"


def test_an_emergency_needs_a_reason_that_is_kept(shop: BookedShop) -> None:
    number, named = emergency(shop), freeze(shop, 0, 100)
    shop.at = NOW + 10 * HOUR
    for way in ("schedule", "implement"):
        with pytest.raises(Invalid, match=rf"note: is needed: {number} lies in the freeze {named}") as refused:
            shop.go(number, way, "bob", "admin")
        assert refused.value.extra["errors"][0]["path"] == "note"
        shop.go(number, way, "bob", "admin", "the tills are open to everybody")
    told = [(one.transition, one.subject, one.note) for one in kept_rows.history(shop.store, number)]
    assert told[-2:] == [(way, "bob", "the tills are open to everybody") for way in ("schedule", "implement")]


def test_one_that_lets_no_emergency_through_lets_it_with_an_exemption(shop: BookedShop) -> None:
    number, named = emergency(shop), freeze(shop, 0, 100, emergencies=False)
    with pytest.raises(Conflict, match=named):
        shop.go(number, "schedule", "bob", "approver", "the tills are open to everybody")
    exempt(shop, number, named)
    assert shop.go(number, "schedule", "bob", "approver").state == "scheduled"


def test_who_exempts_and_how(shop: BookedShop) -> None:
    number, named = authorised(shop), freeze(shop, 0, 100)
    with pytest.raises(Invalid, match="note: is needed"):
        exempt(shop, number, named, note=" ")
    with pytest.raises(Forbidden):
        exempt(shop, number, named, subject="ann")
    with pytest.raises(Forbidden):
        shop.go(number, "exempt", "carl", "operator", "I want it", exempt_from=[named])
    with pytest.raises(Invalid, match=rf"exempt_from\[0\]: {number} is no freeze"):
        exempt(shop, number, number)
    with pytest.raises(Invalid, match=r"body.exempt_from: is needed"):
        exempt(shop, number)
    other = freeze(shop, 0, 100)
    exempt(shop, number, named)
    with pytest.raises(Conflict, match=other):
        shop.go(number, "schedule", "bob", "approver")
    told = kept_rows.history(shop.store, number)[-1]
    assert (told.transition, told.state, told.subject, told.note) == (
        "exempt", "authorise", "bob", "the auditors want it"
    )  # fmt: skip


def test_nobody_exempts_by_writing_it(shop: BookedShop) -> None:
    named = freeze(shop, 0, 100)
    with pytest.raises(Invalid, match="by the transition exempt alone"):
        shop.change("web1", exempt_from=[named])
    change = shop.change("web1")
    with pytest.raises(Invalid, match="by the transition exempt alone"):
        kept.edit(shop.store, change.number, change.version, {"exempt_from": [named]}, shop.by())
    with pytest.raises(Invalid, match="by the transition exempt alone"):
        shop.go(change.number, "assess", exempt_from=[named])
    ways = {one.name for one in kinds()["change"].transitions} | {OPEN, EDIT}
    assert ways == {*freezes.OTHERS, freezes.EXEMPT}, "a transition is not guarded"


def test_it_holds_for_what_it_was_given_for(shop: BookedShop) -> None:
    number, named = authorised(shop), freeze(shop, 0, 100)
    exempt(shop, number, named)
    change = shop.go(number, "rework", note="an hour longer")
    assert change.body["exempt_from"] == [named]
    kept.edit(shop.store, number, change.version, {"windows": [window(10, 13)]}, shop.by())
    for way in ("assess", "authorise"):
        shop.go(number, way)
    shop.approve(number)
    with pytest.raises(Conflict, match=named):
        shop.go(number, "schedule", "bob", "approver")
    exempt(shop, number, named, note="so be it")
    assert shop.go(number, "schedule", "bob", "approver").state == "scheduled"
