from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers import single_points
from cmdb_server.answers.single_points import single_points_of
from cmdb_server.errors import Invalid
from cmdb_server.store.sqlite import SqliteStore
from tests.shop import VIEWER, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def test_a_pool_is_no_single_point_and_its_members_are_a_fatal_pair(shop: Shop) -> None:
    told = single_points_of(shop.projections, VIEWER, shop.ids["shop"], pairs=True)
    assert {one.name for one in told.items} == {"app", "lb", "db", "db-host", "rack"}
    assert told.below == 7
    assert told.pairs is not None
    assert {frozenset(ci.name for ci in (*pair.one, *pair.other)) for pair in told.pairs} == {
        frozenset({"web1", "web2"})
    }
    assert single_points_of(shop.projections, VIEWER, shop.ids["shop"]).pairs is None


def test_once_both_are_needed_each_is_a_single_point(shop: Shop) -> None:
    shop.need_both()
    told = single_points_of(shop.projections, VIEWER, shop.ids["shop"], pairs=True)
    assert {"web1", "web2"} <= {one.name for one in told.items}
    assert told.pairs == ()


def test_pairs_below_too_many_are_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_points, "MOST_FOR_PAIRS", 3)
    with pytest.raises(Invalid, match="7 CIs"):
        single_points_of(shop.projections, VIEWER, shop.ids["shop"], pairs=True)
