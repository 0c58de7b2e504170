from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.asked_graph import asked_graph
from cmdb_server.errors import NotFound
from cmdb_server.store.sqlite import SqliteStore
from tests.shop import NOW, VIEWER, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def test_the_present_and_the_past_have_what_there_was(shop: Shop) -> None:
    def sizes(at: int | None) -> int:
        return shop.store.read(lambda tx: len(asked_graph(shop.projections, VIEWER, tx, at, None).projection))

    assert sizes(None) == len(shop.ids)
    assert sizes(NOW) == 1
    with pytest.raises(NotFound) as refusal:
        shop.store.read(
            lambda tx: asked_graph(shop.projections, VIEWER, tx, NOW, None).cis("failed", [shop.ids["app"]])
        )
    assert refusal.value.extra["errors"][0]["path"] == "failed[0]"
