"""Services as people enter them: rules that can be followed, and none that stands on itself."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.errors import Invalid
from cmdb_server.ingest.declare import DeclaredRelation, create, edit
from cmdb_server.store.port import Store
from cmdb_server.store.tables import CI
from tests.shop import Shop


@pytest.fixture
def shop(each_store: Store) -> Shop:
    return Shop(each_store)


def enter(shop: Shop, name: str, *relations: DeclaredRelation, **attributes: Any) -> None:
    shop.enter(name, "business_service", *relations, **attributes)


def change(shop: Shop, name: str, *relations: DeclaredRelation, **attributes: Any) -> None:
    (row,) = shop.store.read(lambda tx: tx.get(CI, [(shop.ids[name],)])).values()
    edit(shop.store, "ann", row[0], attributes, row[6], list(relations) or None, now_ms=shop.at)
    shop.at += 1000


def on(shop: Shop, name: str, *, reverse: bool = False) -> DeclaredRelation:
    return DeclaredRelation("depends_on", shop.ids[name], reverse)


def refusal(shop: Shop, name: str, *relations: DeclaredRelation, **attributes: Any) -> tuple[str, str]:
    with pytest.raises(Invalid) as refused:
        (enter if name not in shop.ids else change)(shop, name, *relations, **attributes)
    (fault,) = refused.value.extra["errors"]
    return fault["path"], fault["message"]


def test_a_service_on_services_is_entered(shop: Shop) -> None:
    enter(shop, "market", on(shop, "shop"), member_rule='class == "business_service" && name == "wiki"')
    enter(shop, "fair", on(shop, "market"), on(shop, "shop"))
    assert {"market", "fair"} <= shop.ids.keys()


def test_a_service_that_would_stand_on_itself_is_refused_with_the_way(shop: Shop) -> None:
    enter(shop, "market", on(shop, "shop"))
    enter(shop, "fair", on(shop, "market"))
    assert refusal(shop, "shop", on(shop, "fair")) == (
        "relations", "the service would stand on itself: shop -> fair -> market -> shop",
    )  # fmt: skip
    assert refusal(shop, "new", on(shop, "fair"), on(shop, "shop", reverse=True)) == (
        "relations", "the service would stand on itself: new -> fair -> market -> shop -> new",
    )  # fmt: skip
    change(shop, "shop", on(shop, "app"), on(shop, "wiki"))


def test_a_rule_that_leads_back_is_refused(shop: Shop) -> None:
    enter(shop, "market", member_rule='name == "shop"')
    path, text = refusal(shop, "shop", member_rule='name.startsWith("mark")')
    assert (path, text) == ("attributes.member_rule", "the service would stand on itself: shop -> market -> shop")
    change(shop, "shop", member_rule='class == "business_service" && name == "shop"')


def test_a_rule_that_is_none_is_refused(shop: Shop) -> None:
    path, text = refusal(shop, "new", member_rule="class ==")
    assert path == "attributes.member_rule" and "column" in text
    assert refusal(shop, "shop", member_rule='stage == "current"')[0] == "attributes.member_rule"


def test_what_is_no_service_is_none_of_its_business(shop: Shop) -> None:
    create(shop.store, "ann", "application", {"name": "loop"}, [on(shop, "app")], now_ms=shop.at)


def test_an_edit_of_something_else_is_not_held_up_by_a_circle(shop: Shop) -> None:
    shop.enter("a", "application")
    change(shop, "shop", on(shop, "a"))
    change(shop, "shop", description="all that is sold")
