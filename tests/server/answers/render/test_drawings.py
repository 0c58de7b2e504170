from __future__ import annotations

from cmdb_server.answers.paths import path
from cmdb_server.answers.render.drawing import Drawing
from cmdb_server.answers.render.drawings import impact_drawing, path_drawing, requires_drawing, services_drawing
from cmdb_server.answers.requires import requires
from cmdb_server.answers.services import services_of
from tests.shop import VIEWER, Shop


def arrows(drawing: Drawing) -> set[tuple[str, str]]:
    name = {id_: node.label[0] for id_, node in drawing.nodes.items()}
    return {(name[one.source], name[one.target]) for one in drawing.arrows}


def states(drawing: Drawing) -> dict[str, str]:
    return {node.label[0]: node.state for node in drawing.nodes.values()}


def test_an_impact_is_drawn_with_what_fails_and_what_holds(shop: Shop) -> None:
    drawing = impact_drawing(shop.impact("db-host", "web1"))
    assert states(drawing) == {
        "db-host": "failed", "web1": "failed", "db": "down", "app": "down", "shop": "down", "wiki": "down",
        "lb": "plain", "web2": "up",
    }  # fmt: skip
    assert arrows(drawing) == {
        ("db-host", "db"),
        ("db", "app"),
        ("app", "shop"),
        ("app", "wiki"),
        ("web2", "lb"),
        ("web1", "lb"),
    }
    assert {one.label for one in drawing.arrows if one.holds} == {"load_balances"}
    assert "redundancy lost: 1 of 2 serving, needs 1" in drawing.nodes[shop.ids["lb"]].lines
    assert "criticality: most_critical" in drawing.nodes[shop.ids["shop"]].lines


def test_what_an_answer_does_not_list_is_noted(shop: Shop) -> None:
    assert impact_drawing(shop.impact("db-host", limit=1)).left_out == ("1 services", "1 cis")


def test_requirements_are_drawn_from_provider_to_consumer(shop: Shop) -> None:
    drawing = requires_drawing(requires(shop.projections, VIEWER, shop.ids["app"]))
    assert arrows(drawing) == {
        ("lb", "app"), ("db", "app"), ("web1", "lb"), ("web2", "lb"), ("db-host", "db"), ("rack", "db-host"),
    }  # fmt: skip
    assert states(drawing)["app"] == "asked"
    assert requires_drawing(requires(shop.projections, VIEWER, shop.ids["app"], limit=2)).left_out == ("4 CIs",)


def test_services_are_drawn_with_a_way_to_each(shop: Shop) -> None:
    drawing = services_drawing(services_of(shop.projections, VIEWER, shop.ids["web1"]))
    assert arrows(drawing) == {("web1", "lb"), ("lb", "app"), ("app", "shop"), ("app", "wiki")}
    assert "most_critical" in drawing.nodes[shop.ids["shop"]].lines


def test_a_way_and_none(shop: Shop) -> None:
    drawing = path_drawing(path(shop.projections, VIEWER, shop.ids["web1"], shop.ids["shop"]))
    assert arrows(drawing) == {("web1", "lb"), ("lb", "app"), ("app", "shop")}
    none = path_drawing(path(shop.projections, VIEWER, shop.ids["shop"], shop.ids["web1"]))
    assert (len(none.nodes), none.arrows) == (2, ()) and none.nodes[shop.ids["web1"]].lines == ("there is no way",)
