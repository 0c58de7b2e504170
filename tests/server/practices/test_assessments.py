"""An assessment as it is kept: when it holds, and what becomes of it when it no longer does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.errors import Conflict, Invalid
from cmdb_server.practices import assessments, kept, kept_rows
from cmdb_server.practices.assessments import Finding
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import HOUR, BookedShop
from tests.factories import START
from tests.shop import NOW

OPERATOR = By("ann", ("operator",), START)
WINDOW = {"start": "2026-03-01T22:00:00Z", "end": "2026-03-02T02:00:00Z"}
RESULT: dict[str, Any] = {
    "approvals": [],
    "collisions": [],
    "template_faults": [],
    "conditions": {"freezes": [], "freezes_now": []},
}


@pytest.fixture
def change(store: Store, ci: Callable[..., str]) -> Kept:
    told = {"summary": "move", "windows": [WINDOW], "plan": "do it", "back_out": "undo it"}
    made = kept.open_(store, "change", told, {"changed": [ci("web")]}, OPERATOR)
    return kept.move(store, made.number, "assess", OPERATOR)


def finding(store: Store, change: Kept, substance: str = "same", **result: Any) -> Finding:
    return Finding(change.number, change.version, store.revision(), substance, 20, RESULT | result)


def keep(store: Store, change: Kept, substance: str = "same", **result: Any) -> Kept:
    return assessments.keep(store, finding(store, change, substance, **result), "ann", START)


def holds(store: Store, change: Kept) -> Kept:
    return store.read(lambda tx: assessments.present(tx, kept_rows.one_in(tx, change.number)))


def test_it_holds_until_the_graph_moves_on(store: Store, change: Kept, ci: Callable[..., str]) -> None:
    with pytest.raises(Conflict, match="not assessed"):
        holds(store, change)
    made = keep(store, change)
    assert holds(store, change) == made
    ci("another")
    with pytest.raises(Conflict, match="the graph moved on") as moved:
        holds(store, change)
    assert moved.value.extra["outdated"] is True
    again = keep(store, change)
    assert (again.number, again.version) == (made.number, 2)
    assert holds(store, change) == again


def test_it_holds_until_the_change_is_edited(store: Store, change: Kept) -> None:
    keep(store, change)
    edited = kept.edit(store, change.number, change.version, {"back_out": "another way"}, OPERATOR)
    with pytest.raises(Conflict, match="older version"):
        holds(store, edited)
    with pytest.raises(Conflict, match="edited while"):
        keep(store, change)


def test_another_substance_is_another_assessment_and_its_approvals_are_asked_anew(store: Store, change: Kept) -> None:
    service = {"id": change.cis["changed"][0]}
    first = keep(store, change, approvals=[{"owner": "cleo", "service": service}])
    change = kept.move(store, change.number, "authorise", OPERATOR)
    [asked] = store.read(lambda tx: assessments.approvals(tx, first))
    assert (asked.state, asked.body["approver"]) == ("requested", "cleo")
    second = keep(store, change, "another", approvals=[{"owner": None, "service": service}])
    assert second.number != first.number
    assert kept_rows.one(store, first.number).state == "superseded"
    assert kept_rows.one(store, asked.number).state == "void"
    [anew] = store.read(lambda tx: assessments.approvals(tx, second))
    assert (anew.state, "approver" in anew.body) == ("requested", False)
    assert store.read(lambda tx: assessments.scores(tx, [change.number])) == {change.number: 20}


def test_of_the_requesters_own_service_somebody_else_decides(tmp_path: Path) -> None:
    shop = BookedShop(SqliteStore(tmp_path / "cmdb.db"))
    shop.enter("bank", "business_service", owned_by="ann")
    shop.relate("bank", "depends_on", "rack")
    number = shop.change("rack").number
    for way in ("assess", "authorise"):
        shop.go(number, way)
    told = shop.approvals(number)
    assert [one.body.get("approver") for one in told] == [None]
    shop.approve(number)
    assert shop.go(number, "schedule", "bob", "approver").state == "scheduled"


def test_nobody_is_asked_twice_for_the_same_but_who_refused_is_asked_again(tmp_path: Path) -> None:
    shop = BookedShop(SqliteStore(tmp_path / "cmdb.db"))
    shop.enter("island", "server")
    for name, owner in (("bank", "cleo"), ("mint", "dora")):
        shop.enter(name, "business_service", owned_by=owner)
        shop.relate(name, "depends_on", "island")
    number = shop.change("island").number
    for way in ("assess", "authorise"):
        shop.go(number, way)
    first = {one.body["approver"]: one.number for one in shop.approvals(number)}
    shop.go(first["cleo"], "approve", "cleo", "reader")
    shop.go(first["dora"], "reject", "dora", "reader", "not this week")
    for way in ("rework", "assess", "authorise"):
        shop.go(number, way, note="another look")
    asked = [(one.body["approver"], one.state) for one in shop.approvals(number)]
    assert asked == [("cleo", "approved"), ("dora", "rejected"), ("dora", "requested")]
    with pytest.raises(Conflict, match=r"not approved by all: APR0000003 of dora \(requested\)$"):
        shop.go(number, "schedule", "bob", "approver")
    shop.go("APR0000003", "approve", "dora", "reader")
    assert shop.go(number, "schedule", "bob", "approver").state == "scheduled"


def test_what_is_begun_outside_of_its_windows_needs_a_word(tmp_path: Path) -> None:
    shop = BookedShop(SqliteStore(tmp_path / "cmdb.db"))
    number = shop.book("rack", at=(10, 12)).number
    with pytest.raises(Invalid, match="not booked for now"):
        shop.go(number, "implement")
    shop.at = NOW + 12 * HOUR
    with pytest.raises(Invalid, match=r"over|not booked for now"):
        shop.go(number, "implement")
    shop.at -= 1
    assert shop.go(number, "implement").state == "implement"
    other = shop.book("web1", at=(20, 22)).number
    assert shop.go(other, "implement", note="the van is here already").state == "implement"
