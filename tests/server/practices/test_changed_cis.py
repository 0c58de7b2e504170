"""A change of what is retired since it was named goes no further, at any step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.errors import Invalid
from cmdb_server.ingest import decisions
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import BookedShop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[BookedShop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield BookedShop(store)
    store.close()


def retire(shop: BookedShop, name: str) -> str:
    body = {"sides": [[shop.ids[name]]], "hold_back": True}
    shop.at += 1000
    return decisions.decide(shop.store, "ann", "tombstone", body, "sold", shop.at)


def refused(shop: BookedShop, number: str, transition: str, **by: str) -> None:
    with pytest.raises(Invalid) as told:
        shop.go(number, transition, note="all the same", **by)
    assert told.value.extra["errors"] == [{"path": "cis.changed[1]", "message": f"{shop.ids['web1']} is retired"}]


def test_it_goes_no_further_and_is_left_as_it_was(shop: BookedShop) -> None:
    new, assessed, authorised = (shop.change("db", "web1", at=(hour, hour + 1)).number for hour in (20, 30, 40))
    booked = shop.book("db", "web1").number
    for number, transitions in ((assessed, ["assess"]), (authorised, ["assess", "authorise"])):
        for one in transitions:
            shop.go(number, one)
    shop.approve(authorised)
    decision = retire(shop, "web1")
    refused(shop, new, "assess")
    refused(shop, assessed, "authorise")
    refused(shop, authorised, "schedule", subject="bob", role="approver")
    refused(shop, booked, "implement")
    assert shop.go(booked, "rework", note="it is gone").state == "new", "what it was booked as stayed"
    decisions.undo(shop.store, "ann", decision, "not sold", shop.at + 1)
    assert shop.go(new, "assess").state == "assess"
