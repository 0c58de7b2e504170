from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.paths import path
from cmdb_server.store.sqlite import SqliteStore
from tests.shop import VIEWER, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def test_the_way_is_told_with_the_gates_on_it(shop: Shop) -> None:
    told = path(shop.projections, VIEWER, shop.ids["web1"], shop.ids["shop"])
    assert [step.ci.name for step in told.steps] == ["web1", "lb", "app", "shop"]
    assert told.steps[0].gate is None
    assert told.steps[1].gate is not None
    assert told.steps[1].gate.text == "2 of 2 serving, needs 1"


def test_failures_do_not_run_downwards(shop: Shop) -> None:
    assert path(shop.projections, VIEWER, shop.ids["shop"], shop.ids["web1"]).steps == ()
