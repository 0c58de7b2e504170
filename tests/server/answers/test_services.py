from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.services import services_of
from cmdb_server.store.sqlite import SqliteStore
from tests.shop import VIEWER, Shop, seeing


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def test_services_above_are_told_whatever_the_gates_say(shop: Shop) -> None:
    told = services_of(shop.projections, VIEWER, shop.ids["web1"])
    assert {(one.ci.name, one.hops, one.criticality) for one in told.items} == {
        ("shop", 3, "most_critical"),
        ("wiki", 3, "not_critical"),
    }
    assert services_of(shop.projections, VIEWER, shop.ids["shop"]).items == ()
    assert services_of(shop.projections, VIEWER, shop.ids["web1"], limit=1).more == 1


def test_what_the_viewer_may_not_see_has_neither_name_nor_owner(shop: Shop) -> None:
    told = services_of(shop.projections, seeing(shop.projections, '!isa("service")'), shop.ids["web1"])
    assert [(one.ci.name, one.criticality) for one in told.items] == [(None, None)] * 2
    assert all(one.ci.id.startswith("hidden-") for one in told.items)


def test_the_way_to_each_service_is_told(shop: Shop) -> None:
    (first, _) = services_of(shop.projections, VIEWER, shop.ids["web1"]).items
    assert [step.ci.name for step in first.path] == ["web1", "lb", "app", first.ci.name]
    assert [step.gate and step.gate.text for step in first.path][:2] == [None, "2 of 2 serving, needs 1"]
