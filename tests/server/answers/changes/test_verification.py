"""After a change: what was done, what is missing, and what nobody had planned."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.answers.changes.verification import Verification, verify
from cmdb_server.errors import Conflict
from cmdb_server.ingest.decisions import decide
from cmdb_server.ingest.declare import edit
from cmdb_server.store.tables import CI
from tests.booked_shop import HOUR, BookedShop
from tests.shop import NOW, VIEWER


def begun(shop: BookedShop, *changed: str, **body: Any) -> str:
    """A change that has begun; an hour has passed."""
    number = shop.book(*changed, **body).number
    shop.at = NOW + 10 * HOUR
    shop.go(number, "implement")
    shop.at += HOUR
    return number


def revision(shop: BookedShop, name: str) -> int:
    (row,) = shop.store.read(lambda tx: tx.get(CI, [(shop.ids[name],)])).values()
    return int(row[6])


def says(shop: BookedShop, name: str, **attributes: str) -> None:
    edit(shop.store, "ann", shop.ids[name], attributes, revision(shop, name), now_ms=shop.at)
    shop.at += HOUR


def verified(shop: BookedShop, number: str) -> Verification:
    return verify(shop.projections, VIEWER, number)


def results(found: Verification) -> list[str]:
    return [one.result for one in found.outcomes]


def test_what_was_expected_is_done(shop: BookedShop) -> None:
    ids = shop.ids
    number = begun(shop, "web1", expected=[
        {"edit": "set", "ci": ids["web1"], "attribute": "os_version", "value": "12"},
        {"edit": "set", "ci": ids["web1"], "attribute": "asset_tag"},
        {"edit": "relate", "from": ids["web1"], "relation": "located_in", "to": ids["rack"]},
    ])  # fmt: skip
    says(shop, "web1", os_version="12", asset_tag="A1")
    shop.relate("web1", "located_in", "rack")
    shop.at += HOUR
    shop.go(number, "review", outcome="successful")
    found = verified(shop, number)
    assert (results(found), found.unplanned, found.holds) == (["done"] * 3, (), True)


def test_what_is_missing_and_what_was_not_planned(shop: BookedShop) -> None:
    number = begun(shop, "web1", expected=[
        {"edit": "set", "ci": shop.ids["web1"], "attribute": "os_version", "value": "12"},
        {"edit": "remove", "ci": shop.ids["web2"]}, {"edit": "create", "class": "server", "name": "web1"},
    ])  # fmt: skip
    says(shop, "web1", os_version="11", asset_tag="A2")
    says(shop, "web2", asset_tag="elsewhere")
    found = verified(shop, number)
    assert results(found) == ["missing", "missing", "already"]
    [one] = found.unplanned
    assert (one.id, dict(one.values)) == ((shop.ids["web1"],), {"asset_tag": (None, "A2")})
    assert not found.holds


def test_what_goes_takes_its_relations_along(shop: BookedShop) -> None:
    number = begun(shop, "web1", expected=[{"edit": "remove", "ci": shop.ids["web1"]}])
    decide(shop.store, "ann", "tombstone", {"sides": [[shop.ids["web1"]]]}, "scrapped", shop.at)
    shop.at += HOUR
    found = verified(shop, number)
    assert (results(found), found.unplanned, found.holds) == (["done"], (), True)


def test_what_was_not_begun_cannot_be_verified(shop: BookedShop) -> None:
    with pytest.raises(Conflict, match="not begun"):
        verified(shop, shop.change("web1").number)
