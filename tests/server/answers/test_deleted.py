"""What people deleted is in no answer but those about itself, until it is seen again or the deletion undone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cmdb_server.answers import inventory
from cmdb_server.answers.deleted import deleted_at, deleted_of
from cmdb_server.answers.duplicates import duplicates_in
from cmdb_server.answers.export import Selection, export
from cmdb_server.answers.health import health
from cmdb_server.answers.inventory import Filters
from cmdb_server.answers.requires import requires
from cmdb_server.answers.selected import selected
from cmdb_server.answers.single_points import single_points_of
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.decisions import decide, undo
from cmdb_server.projection.build import build
from cmdb_server.store.tables import CI
from tests.estate import Estate, minute
from tests.factories import host
from tests.shop import VIEWER, Shop


def delete(shop: Shop, name: str, *, hold_back: bool = False) -> str:
    shop.at += 1000
    body = {"sides": [[shop.ids[name]]], "hold_back": hold_back}
    found = decide(shop.store, "ann", "tombstone", body, "sold", shop.at)
    shop.at += 1000
    return found


def answers(shop: Shop, at: int | None = None) -> dict[str, Any]:
    """What each question is answered, by names."""
    store, top = shop.store, shop.ids["shop"]
    viewer = Viewer("ann", "reader")  # who keeps graphs of the past of one store
    now: dict[str, int] = {"now_ms": shop.at}
    asked: dict[str, int | None] = {"at": at}
    page = inventory.list_cis(store, viewer, Filters(), **asked, **now)  # type: ignore[arg-type]
    hosts = selected('class == "server"', shop.projections, viewer.kinds)
    chosen = inventory.list_cis(store, viewer, Filters(), selected=hosts, **asked, **now)  # type: ignore[arg-type]
    found = inventory.search(store, viewer, "web", projections=shop.projections, **asked, **now)  # type: ignore[arg-type]
    written = [
        msgspec.json.decode(line)
        for piece in export(Selection(store, viewer, None, shop.at, at), "jsonl")
        for line in piece.splitlines()
    ]
    beside = inventory.relations(store, viewer, shop.ids["lb"], **asked, **now)  # type: ignore[arg-type]
    return {
        "list": [one.name for one in page.items],
        "selected": [one.name for one in chosen.items],
        "search": [hit.ci.name for hit in found],
        "export": [one["name"] for one in written],
        "exported relations": sorted(tie["to"] for one in written for tie in one["relations"]),
        "beside": [one.other_name for one in beside],
        "requires": {one.ci.name for one in requires(shop.projections, viewer, top, at=at).items},
        "single points": {one.name for one in single_points_of(shop.projections, viewer, top, at=at).items},
        "impact": {one.ci.name for one in shop.impact("web1", at=at).cis},
    }


@pytest.mark.parametrize("hold_back", [False, True])
def test_it_leaves_every_answer_at_once_and_comes_back_with_the_undoing(either: Estate, *, hold_back: bool) -> None:
    shop = Shop(either.store)
    shop.enter("hall", "business_service", member_rule='class == "server"')
    before, then, counted = answers(shop), shop.at, inventory.counts(shop.store, VIEWER)
    assert before["impact"] == set()
    tombstone = delete(shop, "web2", hold_back=hold_back)
    now = answers(shop)
    for question in ("list", "selected", "search", "export", "beside", "requires"):
        assert "web2" in before[question] and "web2" not in now[question], question
        assert set(before[question]) - set(now[question]) == {"web2"}, question
    assert shop.ids["web2"] not in now["exported relations"]
    assert inventory.counts(shop.store, VIEWER) == {**counted, "server": counted["server"] - 1}
    # The pool is one server now: a deleted provider leaves n of its gates as a retired one does.
    assert now["impact"] == {"lb", "app"}
    assert now["single points"] - before["single points"] == {"web1"}
    assert {one.ci.name for one in requires(shop.projections, VIEWER, shop.ids["hall"]).items} >= {"web1", "db-host"}
    assert "web2" not in {one.ci.name for one in requires(shop.projections, VIEWER, shop.ids["hall"]).items}
    assert answers(shop, then) == before, "the past is told as it was"
    undo(shop.store, "ann", tombstone, "", shop.at)
    shop.at += 1000
    assert answers(shop) == before
    assert inventory.counts(shop.store, VIEWER) == counted


def test_catching_up_is_starting_cold(either: Estate) -> None:
    shop = Shop(either.store)
    shop.projections.current()
    for name in ("web2", "db"):
        tombstone = delete(shop, name)
        followed = shop.projections.current()
        cold = either.store.read(lambda tx: build(tx, shop.projections.rules, shop.at))
        for graph in (followed, cold):
            assert graph.retired[graph.ci(shop.ids[name])]
            assert not len(graph.gates_by(graph.ci(shop.ids[name])))
    undo(either.store, "ann", tombstone, "", shop.at)
    followed = shop.projections.current()
    assert not followed.retired[followed.ci(shop.ids["db"])]


def test_who_asks_for_it_is_told(estate: Estate) -> None:
    shop = Shop(estate.store)
    delete(shop, "web2")
    told = inventory.list_cis(estate.store, VIEWER, Filters(stage="retired"), now_ms=shop.at)
    assert [one.name for one in told.items] == ["web2"]
    by_stage = selected('stage == "retired"', shop.projections, VIEWER.kinds)
    told = inventory.list_cis(estate.store, VIEWER, Filters(), now_ms=shop.at, selected=by_stage)
    assert [one.name for one in told.items] == ["web2"]
    shown = inventory.show(estate.store, VIEWER, shop.ids["web2"], now_ms=shop.at)
    assert (shown.summary.stage, [one.other_name for one in shown.relations]) == ("retired", ["lb"])


@pytest.mark.parametrize("hold_back", [False, True])
def test_seen_again_it_is_back_unless_it_is_held_back(either: Estate, *, hold_back: bool) -> None:
    seen = [host("a", "10.0.0.1", listens=[80]), host("b", "10.0.0.2")]
    either.tell(0, *seen)
    ci = either.ci("a")["id"]
    decide(either.store, "ann", "tombstone", {"sides": [[ci]], "hold_back": hold_back}, "", minute(1))

    def told(at: float) -> set[str]:
        page = inventory.list_cis(either.store, VIEWER, Filters(), now_ms=minute(at))
        return {one.name for one in page.items}

    assert told(2) == {"b", "eth0"}, "its components with it"
    either.tell(3, *seen)
    assert ("a" in told(4)) is not hold_back


def test_when_scans_ended_it_that_very_moment_it_is_deleted_all_the_same(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1"))
    estate.tell(1)
    row = estate.rows(CI)[0]
    assert deleted_at(row) is None
    decide(estate.store, "ann", "tombstone", {"sides": [[estate.ci("a")["id"]]]}, "", minute(1))
    assert {deleted_at(row) for row in estate.rows(CI)} == {minute(1)}
    assert estate.store.read(lambda tx: deleted_of(tx, [row[0]])) == {row[0]}
    assert inventory.list_cis(estate.store, VIEWER, Filters(), now_ms=minute(1)).items == ()


def test_nothing_is_held_against_it_and_it_shares_no_address(estate: Estate) -> None:
    for name, source in (("a", "ssh"), ("b", "snmp")):
        seen = host(name, "10.0.0.1", mac=f"3c:ec:ef:00:00:{name}{name}")
        estate.tell(0, seen, source=source, coverage={})
    assert estate.store.read(lambda tx: [one.address for one in duplicates_in(tx)]) == ["10.0.0.1"]
    gone = decide(estate.store, "ann", "tombstone", {"sides": [[estate.ci("b")["id"]]]}, "", minute(1))
    assert estate.store.read(lambda tx: list(duplicates_in(tx))) == []
    figures = health(estate.store, VIEWER, now_ms=minute(2)).figures
    servers = {one.check: (one.failing, one.of) for one in figures if one.class_ == "server"}
    assert servers["retired"] == (0, 1) and servers["duplicate-address"][0] == 0
    undo(estate.store, "ann", gone, "", minute(2))
    assert len(estate.store.read(lambda tx: list(duplicates_in(tx)))) == 1
