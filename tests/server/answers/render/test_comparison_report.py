from __future__ import annotations

from cmdb_server.answers.compare import Side, compare
from cmdb_server.answers.render.comparison_report import comparison_report
from cmdb_server.answers.what_if import Edit
from tests.shop import VIEWER, Shop


def test_both_sides_and_what_makes_the_difference(shop: Shop) -> None:
    edits = (Edit("gate", ci=shop.ids["lb"], gate={"kind": "at_least", "k": 2}),)
    told = comparison_report(compare(shop.projections, VIEWER, [shop.ids["web1"]], Side(), Side(edits=edits)))
    assert told.title == "What differs if server web1 fail" and "became" in told.verdict
    supposed, services, cis, gates = told.told()
    assert supposed.rows[0].cells[:2] == ("gate", "load_balancer lb")
    assert {row.cells[:4] for row in services.rows} == {
        ("became", "✔ up", "✖ down", "shop"),
        ("became", "✔ up", "✖ down", "wiki"),
    }
    assert {row.cells[3] for row in cis.rows} == {"lb", "app"}
    assert "load_balancer lb" in {row.cells[0] for row in gates.rows}
    assert dict(told.facts)["Affected, before"] == "1 down"


def test_nothing_differs(shop: Shop) -> None:
    told = comparison_report(compare(shop.projections, VIEWER, [shop.ids["web1"]], Side(), Side()))
    assert (told.verdict, told.told()) == ("Nothing differs.", ())
