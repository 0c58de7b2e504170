from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.requires import requires
from cmdb_server.errors import NotFound
from cmdb_server.ingest.declare import DeclaredRelation, edit
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI
from tests.shop import VIEWER, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def test_all_below_is_listed_nearest_first(shop: Shop) -> None:
    told = requires(shop.projections, VIEWER, shop.ids["shop"])
    hops = {one.ci.name: one.hops for one in told.items}
    assert hops == {"app": 1, "lb": 2, "db": 2, "web1": 3, "web2": 3, "db-host": 3, "rack": 4}
    assert (told.more, told.stuck) == (0, 0)
    few = requires(shop.projections, VIEWER, shop.ids["shop"], limit=2)
    assert (len(few.items), few.more) == (2, 5)


def test_what_needs_one_another_cannot_start_cold(shop: Shop) -> None:
    loop = DeclaredRelation("depends_on", shop.ids["app"])
    (row,) = shop.store.read(lambda tx: tx.get(CI, [(shop.ids["db"],)])).values()
    edit(shop.store, "ann", row[0], {}, row[6], [loop], now_ms=shop.at)
    told = requires(shop.projections, VIEWER, shop.ids["shop"])
    assert {one.ci.name for one in told.items if one.cannot_start_cold} == {"app", "db"}
    assert told.stuck == 3


def test_an_unknown_ci_is_named(shop: Shop) -> None:
    with pytest.raises(NotFound):
        requires(shop.projections, VIEWER, "00000000-0000-0000-0000-000000000000")


def test_who_stands_on_whom_is_told_of_those_that_are_listed(shop: Shop) -> None:
    told = requires(shop.projections, VIEWER, shop.ids["shop"], limit=3)
    name = {one.ci.id: one.ci.name for one in told.items} | {told.ci.id: told.ci.name}
    among = {(name[one.consumer], name[one.provider], one.relation) for one in told.leanings}
    assert among == {("shop", "app", "depends_on"), ("app", "lb", "depends_on"), ("app", "db", "depends_on")}
    whole = requires(shop.projections, VIEWER, shop.ids["shop"])
    assert "2 of 2 serving, needs 1" in {one.text for one in whole.leanings if one.provider == shop.ids["web1"]}
