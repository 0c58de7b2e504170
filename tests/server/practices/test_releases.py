"""A release is of changes, and goes out when all of them are over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.errors import Conflict, Invalid
from cmdb_server.practices import kept
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import HOUR, BookedShop
from tests.shop import NOW


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[BookedShop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield BookedShop(store)
    store.close()


def release(shop: BookedShop, *numbers: str) -> Kept:
    return kept.open_(shop.store, "release", {"summary": "spring", "changes": list(numbers)}, {}, shop.by())


def run(shop: BookedShop, number: str, outcome: str) -> None:
    shop.at = NOW + 10 * HOUR
    shop.go(number, "implement")
    shop.go(number, "review", outcome=outcome)


def test_of_changes_alone_and_of_each_once(shop: BookedShop) -> None:
    one = shop.change("web1").number
    freeze = shop.keep("freeze", windows=[{"start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z"}]).number
    with pytest.raises(Invalid) as refused:
        release(shop, one, freeze, one)
    assert [fault["path"] for fault in refused.value.extra["errors"]] == ["body.changes[1]", "body.changes[2]"]
    with pytest.raises(Invalid, match="there is no CHG0000099"):
        release(shop, "CHG0000099")
    made = release(shop, one)
    with pytest.raises(Invalid, match="twice"):
        kept.edit(shop.store, made.number, made.version, {"changes": [one, one]}, shop.by())


def test_it_waits_for_all_of_them(shop: BookedShop) -> None:
    first, second = shop.book("web1").number, shop.change("rack", at=(12, 14)).number
    made = release(shop, first, second)
    run(shop, first, "successful")
    with pytest.raises(Conflict, match=rf"waits for {second} \(new\)"):
        kept.move(shop.store, made.number, "release", shop.by())
    shop.go(second, "cancel", note="not this time")
    with pytest.raises(Invalid, match=rf"{second} did not go well"):
        kept.move(shop.store, made.number, "release", shop.by())
    assert kept.move(shop.store, made.number, "release", shop.by(note="the next one has it")).state == "released"


@pytest.mark.parametrize(
    ("outcome", "note"), [("successful", ""), ("with_issues", ""), ("failed", "x"), ("backed_out", "x")]
)
def test_one_step_that_failed_needs_a_word(shop: BookedShop, outcome: str, note: str) -> None:
    number = shop.book("web1").number
    made = release(shop, number)
    run(shop, number, outcome)
    if note:
        with pytest.raises(Invalid, match="did not go well"):
            kept.move(shop.store, made.number, "release", shop.by())
    assert kept.move(shop.store, made.number, "release", shop.by(note=note)).state == "released"
