from __future__ import annotations

from cmdb_server.answers.diff import Moment, diff
from cmdb_server.answers.render.diff_report import diff_report
from cmdb_server.ingest.declare import edit
from cmdb_server.store.tables import CI
from tests.shop import NOW, VIEWER, Shop


def test_counts_then_details_with_both_values(shop: Shop) -> None:
    before, after = Moment(shop.at, shop.at), Moment(shop.at + 5000)
    (row,) = shop.store.read(lambda tx: tx.get(CI, [(shop.ids["shop"],)])).values()
    edit(shop.store, "ann", row[0], {"business_criticality": "critical"}, row[6], now_ms=shop.at + 1000)
    told = diff_report(diff(shop.store, VIEWER, before, after), before, after)
    counts, details = told.told()
    assert counts.rows[0].cells == ("1", "changed", "ci business_service")
    assert details.rows[0].cells[:4] == (
        "changed", "business_service", "shop", "business_criticality: most_critical → critical",
    )  # fmt: skip
    assert told.verdict == "1 differences." and dict(told.facts)["Before"].endswith("Z")


def test_nothing_and_too_much(shop: Shop) -> None:
    now = Moment(shop.at)
    same = diff_report(diff(shop.store, VIEWER, now, now), now, now)
    assert (same.verdict, same.told()) == ("Nothing differs.", ())
    begun = Moment(NOW - 1, NOW - 1)
    some = diff_report(diff(shop.store, VIEWER, begun, now, limit=1), begun, now)
    assert some.told()[1].more.startswith("there are more")
    assert some.sections[1].rows[0].cells[3] == ""
