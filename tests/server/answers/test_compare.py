"""One question of two graphs: at two times, with and without edits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.compare import Comparison, Side, compare
from cmdb_server.answers.what_if import Edit
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.ingest.declare import DeclaredRelation
from cmdb_server.store.sqlite import SqliteStore
from tests.shop import NOW, VIEWER, Shop

BOTH = {"kind": "at_least", "k": 2}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def compared(shop: Shop, *failed: str, before: Side = Side(), after: Side = Side(), limit: int = 100) -> Comparison:  # noqa: B008 - frozen
    return compare(shop.projections, VIEWER, [shop.ids[name] for name in failed], before, after, limit=limit)


def changes(told: Comparison) -> dict[str | None, tuple[str, str | None, str | None]]:
    listed = [*(service.changed for service in told.services), *told.cis]
    return {one.ci.name: (one.change, one.before, one.after) for one in listed}


def test_nothing_changes_between_equal_graphs(shop: Shop) -> None:
    told = compared(shop, "rack")
    assert (told.services, told.cis, told.gates, told.counts) == ((), (), (), {})
    assert told.before == told.after


def test_a_gate_makes_the_difference_services_first(shop: Shop) -> None:
    told = compared(shop, "web1", after=Side(edits=(Edit("gate", shop.ids["lb"], BOTH),)))
    assert changes(told) == dict.fromkeys(("shop", "wiki", "app", "lb"), ("became", "up", "down"))
    assert [(one.changed.ci.name, one.criticality) for one in told.services] == [
        ("shop", "most_critical"), ("wiki", "not_critical"),
    ]  # fmt: skip
    gate = next(one for one in told.gates if one.ci.name == "lb")
    assert gate.before is not None and gate.after is not None
    assert (gate.before.text, gate.after.text) == ("1 of 2 serving, needs 1", "1 of 2 serving, needs 2")
    assert told.after.supposed[0].gate == BOTH
    json.dumps(told.as_json())


def test_the_other_way_round_it_ceases(shop: Shop) -> None:
    side = Side(edits=(Edit("gate", shop.ids["lb"], BOTH),))
    assert set(changes(compared(shop, "web1", before=side)).values()) == {("ceased", "down", "up")}


def test_today_against_last_week(shop: Shop) -> None:
    then = shop.at
    shop.at += 60_000
    shop.enter("blog", "business_service", DeclaredRelation("depends_on", shop.ids["web1"]))
    shop.at += 60_000
    told = compared(shop, "web1", before=Side(at=then), after=Side(at=shop.at))
    assert changes(told) == {"blog": ("became", None, "down")}
    assert (told.before.at, told.after.at, told.counts) == (then, shop.at, {"became": 1})
    (gate,) = told.gates
    assert (gate.ci.name, gate.before, gate.after and gate.after.text) == ("blog", None, "0 of 1 serving, needs 1")
    back = compared(shop, "web1", before=Side(), after=Side(at=then))
    assert changes(back) == {"blog": ("ceased", "down", None)}
    assert compared(shop, "web1", before=Side(at=shop.at)).counts == {}


def test_a_state_can_be_worse_or_better(shop: Shop) -> None:
    soft, hard = (Side(edits=(Edit("gate", shop.ids["app"], {"depends_on": {"kind": kind}}),))
                  for kind in ("degrade_only", "all"))  # fmt: skip
    assert set(changes(compared(shop, "db", before=soft, after=hard)).values()) == {("worse", "degraded", "down")}
    assert set(changes(compared(shop, "db", before=hard, after=soft)).values()) == {("better", "down", "degraded")}


def test_a_removed_ci_is_not_there(shop: Shop) -> None:
    told = compared(shop, "rack", after=Side(edits=(Edit("remove", shop.ids["db-host"]),)))
    assert changes(told)["db-host"] == ("ceased", "down", None)
    assert changes(told)["shop"] == ("ceased", "down", "up")


def test_the_list_is_bounded_and_the_counts_are_not(shop: Shop) -> None:
    told = compared(shop, "web1", after=Side(edits=(Edit("gate", shop.ids["lb"], BOTH),)), limit=1)
    assert (len(told.services), len(told.cis), len(told.gates)) == (1, 1, 1)
    assert told.more == {"services": 1, "cis": 1, "gates": 3}
    assert told.counts == {"became": 4}


def test_bad_questions_are_refused_with_their_place(shop: Shop) -> None:
    with pytest.raises(Invalid):
        compared(shop)
    with pytest.raises(NotFound) as refusal:
        compared(shop, "wiki", before=Side(at=NOW))
    assert refusal.value.extra["errors"][0]["path"] == "failed[0]"
    with pytest.raises(Invalid) as wrong:
        compared(shop, "wiki", after=Side(edits=(Edit("paint"),)))
    assert wrong.value.extra["errors"][0]["path"] == "after.edits[0].edit"
