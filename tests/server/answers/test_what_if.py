"""Questions of the shop as it would be: nothing is written, and what cannot be is refused with its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact as computed
from cmdb_server.answers.asked_graph import asked_graph
from cmdb_server.answers.impact import impact
from cmdb_server.answers.requires import requires
from cmdb_server.answers.single_points import single_points_of
from cmdb_server.answers.what_if import MOST, Edit, supposing
from cmdb_server.errors import CmdbError, Invalid, NotFound
from cmdb_server.ingest.declare import DeclaredRelation
from cmdb_server.store.sqlite import SqliteStore
from tests.shop import NOW, VIEWER, Shop

BOTH = {"kind": "at_least", "k": 2}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def down(shop: Shop, *failed: str, edits: list[Edit], **more: Any) -> set[str | None]:
    ids = [shop.ids[name] for name in failed]
    answer = impact(shop.projections, VIEWER, ids, edits=edits, **more)
    return {one.ci.name for one in (*(service.affected for service in answer.services), *answer.cis)}


def test_with_another_gate_one_web_server_is_too_few(shop: Shop) -> None:
    before = shop.store.read(lambda tx: tx.revision)
    edits = [Edit("gate", shop.ids["lb"], BOTH)]
    assert down(shop, "web1", edits=edits) == {"lb", "app", "shop", "wiki"}
    assert down(shop, "web1", edits=[]) == set()
    assert shop.store.read(lambda tx: tx.revision) == before
    assert "web1" in {
        one.name for one in single_points_of(shop.projections, VIEWER, shop.ids["shop"], edits=edits).items
    }


def test_the_gate_of_a_ci_can_be_taken_away(shop: Shop) -> None:
    shop.need_both()
    assert down(shop, "web1", edits=[Edit("gate", shop.ids["lb"])]) == set()


def test_relations_come_and_go(shop: Shop) -> None:
    ids = shop.ids
    gone = Edit("unrelate", from_=ids["app"], relation="depends_on", to=ids["db"])
    assert down(shop, "rack", edits=[gone]) == {"db", "db-host"}
    new = Edit("relate", from_=ids["wiki"], relation="depends_on", to=ids["web2"])
    assert down(shop, "web2", edits=[new]) == {"wiki"}
    names = {one.ci.name for one in requires(shop.projections, VIEWER, ids["wiki"], edits=[gone, new]).items}
    assert names == {"app", "lb", "web1", "web2"}


def test_a_removed_ci_leaves_the_pool_with_its_parts(shop: Shop) -> None:
    shop.enter("nic", "network_interface", DeclaredRelation("contains", shop.ids["web2"], reverse=True))
    assert down(shop, "web1", edits=[Edit("remove", shop.ids["web2"])]) == {"lb", "app", "shop", "wiki"}
    with pytest.raises(NotFound):
        down(shop, "web2", edits=[Edit("remove", shop.ids["web2"])])


def test_the_past_can_be_supposed_otherwise(shop: Shop) -> None:
    then = shop.at
    shop.at += 60_000
    edits = [Edit("gate", shop.ids["lb"], BOTH), Edit("unrelate", from_=shop.ids["wiki"], relation="depends_on",
                                                      to=shop.ids["app"])]  # fmt: skip
    assert down(shop, "web1", edits=edits, at=then) == {"lb", "app", "shop"}


def test_the_answer_says_what_was_supposed_and_is_proved(shop: Shop) -> None:
    edits = [
        Edit("gate", shop.ids["lb"], BOTH),
        Edit("relate", from_=shop.ids["wiki"], relation="depends_on", to=shop.ids["web2"], group="spare", weight=3),
        Edit("remove", shop.ids["db"]),
    ]
    answer = impact(shop.projections, VIEWER, [shop.ids["web1"]], edits=edits)
    assert [(one.edit, one.ci.name, one.relation, one.to and one.to.name, one.gate) for one in answer.supposed] == [
        ("gate", "lb", None, None, BOTH),
        ("relate", "wiki", "depends_on", "web2", None),
        ("remove", "db", None, None, None),
    ]
    assert [one["edit"] for one in answer.as_json()["supposed"]] == ["gate", "relate", "remove"]

    def proof(tx: Any) -> list[str]:
        graph = supposing(asked_graph(shop.projections, VIEWER, tx, None, None), VIEWER, edits).projection
        return check(graph, computed(graph, [graph.ci(shop.ids["web1"])]).certificate())

    assert shop.store.read(proof) == []


def test_a_later_revision_is_answered_as_if_nobody_had_supposed_anything(shop: Shop) -> None:
    edits = [Edit("gate", shop.ids["lb"], BOTH)]
    for number in range(5):
        assert down(shop, "web1", edits=edits) >= {"lb", "shop"}
        shop.enter(f"spare-{number}", "application", DeclaredRelation("depends_on", shop.ids["web1"]))
        assert down(shop, "web1", edits=[]) == {f"spare-{place}" for place in range(number + 1)}


@pytest.mark.parametrize(
    ("edit", "path", "error"),
    [
        ({"edit": "paint", "ci": "lb"}, "edits[1].edit", Invalid),
        ({"edit": "remove"}, "edits[1].ci", Invalid),
        ({"edit": "remove", "ci": "lb", "gate": BOTH}, "edits[1].gate", Invalid),
        ({"edit": "remove", "ci": "nobody"}, "edits[1].ci", NotFound),
        ({"edit": "gate", "ci": "lb", "gate": {"kind": "none"}}, "edits[1].gate.kind", Invalid),
        ({"edit": "gate", "ci": "lb", "gate": {"depends_on": {"kind": "all", "k": 1}}}, "edits[1].gate.depends_on",
         Invalid),
        ({"edit": "gate", "ci": "lb", "gate": 2}, "edits[1].gate", Invalid),
        ({"edit": "gate", "ci": "lb", "gate": {"depend_on": {"kind": "all"}}}, "edits[1].gate", Invalid),
        ({"edit": "relate", "from_": "lb", "relation": "loves", "to": "db"}, "edits[1].relation", Invalid),
        ({"edit": "relate", "from_": "lb", "relation": "depends_on", "to": "lb"}, "edits[1]", Invalid),
        ({"edit": "relate", "from_": "db", "relation": "runs_on", "to": "shop"}, "edits[1]", Invalid),
        ({"edit": "relate", "from_": "nobody", "relation": "depends_on", "to": "db"}, "edits[1].from", NotFound),
        ({"edit": "unrelate", "from_": "db", "relation": "depends_on", "to": "app"}, "edits[1]", Invalid),
        ({"edit": "gate", "ci": "web1"}, "edits[1].ci", Invalid),
    ],
)  # fmt: skip
def test_what_cannot_be_supposed_is_refused_with_its_place(
    shop: Shop, edit: dict[str, Any], path: str, error: type[CmdbError]
) -> None:
    ids = {**shop.ids, "nobody": "00000000-0000-0000-0000-000000000000"}
    told = {name: ids.get(value, value) if isinstance(value, str) else value for name, value in edit.items()}
    with pytest.raises(error) as refusal:
        down(shop, "db", edits=[Edit("remove", ids["web1"]), Edit(**told)])
    assert [fault["path"] for fault in refusal.value.extra["errors"]] == [path]


def test_too_many_edits_are_refused(shop: Shop) -> None:
    with pytest.raises(Invalid, match=str(MOST)):
        down(shop, "db", edits=[Edit("gate", shop.ids["lb"])] * (MOST + 1))


def test_what_was_not_there_yet_cannot_be_edited(shop: Shop) -> None:
    with pytest.raises(NotFound):
        down(shop, "rack", edits=[Edit("remove", shop.ids["wiki"])], at=NOW)
