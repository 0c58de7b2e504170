"""Nobody changes what they do not see, nor makes what they do not see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.answers.seen import as_seen
from cmdb_server.errors import Forbidden
from cmdb_server.ingest import decisions
from cmdb_server.ingest.declare import create, edit
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import BASELINE, CI, FEED
from tests.shop import Shop, seeing

TEST = 'environment == "test"'


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    made = Shop(store)
    made.enter("mine", "server", environment="test")
    yield made
    store.close()


def row(shop: Shop, name: str) -> Any:
    return shop.store.read(lambda tx: tx.get(CI, [(shop.ids[name],)]))[(shop.ids[name],)]


def part(shop: Shop, sees: str = TEST) -> Store:
    return as_seen(shop.store, seeing(shop.projections, sees))


def change(shop: Shop, name: str, **attributes: Any) -> str:
    ci = row(shop, name)
    return edit(part(shop), "ann", ci[0], attributes, ci[6], now_ms=shop.at).ci


def test_what_one_sees_one_changes(shop: Shop) -> None:
    assert change(shop, "mine", os_name="Debian") == shop.ids["mine"]
    assert row(shop, "mine")[5]["os_name"] == "Debian"
    told = {"name": "another", "environment": "test"}
    made = create(part(shop), "ann", "server", told, now_ms=shop.at)
    assert made.ci in shop.store.read(lambda tx: {key[0] for key in tx.get(CI, [(made.ci,)])})


def test_what_one_does_not_see_one_does_not_change(shop: Shop) -> None:
    before = shop.store.revision()
    with pytest.raises(Forbidden, match="do not see"):
        change(shop, "db-host", os_name="Debian")
    with pytest.raises(Forbidden, match="do not see"):
        change(shop, "db-host", environment="test")
    assert (shop.store.revision(), row(shop, "db-host")[5].get("environment")) == (before, None)


def test_nothing_is_brought_out_of_ones_own_sight(shop: Shop) -> None:
    with pytest.raises(Forbidden, match="do not see"):
        change(shop, "mine", environment="production")
    with pytest.raises(Forbidden, match="do not see"):
        create(part(shop), "ann", "server", {"name": "elsewhere"}, now_ms=shop.at)
    assert row(shop, "mine")[5]["environment"] == "test"


def test_a_deed_that_would_merge_with_what_is_not_seen_is_refused(shop: Shop) -> None:
    body = {"sides": [[shop.ids["mine"]], [shop.ids["db-host"]]]}
    for deed in (decisions.decide, None):
        with pytest.raises(Forbidden, match="do not see"):
            if deed is None:
                decisions.effect(part(shop), "merge", body, shop.at)
            else:
                deed(part(shop), "ann", "merge", body, "r", shop.at)


def test_other_rows_are_written_and_read_as_they_are(shop: Shop) -> None:
    def work(tx: Any) -> list[Any]:
        tx.put(BASELINE, [("b", 1, tx.revision, "ann", 1, "")])
        assert tx.scan(BASELINE)[0][0] == "b" and tx.find(BASELINE, ("name",), [("b",)])
        assert list(tx.between(CI, "revision", 0, tx.revision)) and tx.count(CI) == len(shop.ids)
        tx.delete(BASELINE, [("b",)])
        tx.insert(FEED, [(tx.revision, "ci", "x", 0)])
        return list(tx.get(CI, [(shop.ids["db"],)]).values())

    assert part(shop).write(work)[0][2] == "db"
