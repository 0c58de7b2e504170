"""Work as somebody sees it who does not see all that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.seen_kept import plain_body
from cmdb_server.errors import NotFound
from cmdb_server.practices import kept_rows
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.practices.kind_files import kinds
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import BookedShop
from tests.shop import seeing


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[BookedShop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield BookedShop(store)
    store.close()


def told(shop: BookedShop, sees: str, number: str) -> Kept:
    return kept_rows.one(part(shop, sees), number)


def part(shop: BookedShop, sees: str) -> Store:
    return as_seen(shop.store, seeing(shop.projections, sees))


def test_who_sees_all_that_it_names_sees_it_as_it_is(shop: BookedShop) -> None:
    made = shop.change("web1", "db")
    assert told(shop, 'name in ["web1", "db"]', made.number) == shop.store.read(
        lambda tx: kept_rows.one_in(tx, made.number)
    )
    nothing = shop.keep("release", changes=[made.number])
    assert told(shop, 'name == "nobody"', nothing.number).body["summary"] == "release"


def test_who_sees_a_part_is_told_without_its_words(shop: BookedShop) -> None:
    made = shop.change("web1", "db", plan="call the vault", type="emergency", implementers=["ann"])
    store = part(shop, 'name == "web1"')
    found = kept_rows.one(store, made.number)
    assert found.body == {name: made.body[name] for name in ("type", "interruption", "windows")}
    first, second = found.cis["changed"]
    assert first == shop.ids["web1"] and second.startswith("hidden-")
    assert (found.state, found.version, found.subject) == ("new", 1, "ann")
    (opened,) = kept_rows.history(store, made.number)
    assert (opened.note, opened.body, opened.cis) == ("", found.body, found.cis)


def test_who_sees_nothing_of_it_is_told_nothing(shop: BookedShop) -> None:
    made = shop.change("db")
    for sees in ('name == "web1"', 'name == "nobody"'):
        with pytest.raises(NotFound, match=f"there is no {made.number}"):
            told(shop, sees, made.number)
        assert kept_rows.every(part(shop, sees), "change").items == ()
    assert kept_rows.every(part(shop, 'name == "db"'), "change", ci=shop.ids["db"]).items != ()
    assert kept_rows.every(part(shop, 'name == "web1"'), "change", ci=shop.ids["db"]).items == ()


def test_who_is_asked_for_approval_is_told_that_there_is_a_change(shop: BookedShop) -> None:
    """Of the shop alone, though the change is about what the shop's owner does not see."""
    made = shop.change("db")
    for transition in ("assess", "authorise"):
        shop.go(made.number, transition)
    found = told(shop, 'name == "shop"', made.number)
    assert found.state == "authorise" and "summary" not in found.body
    assert all(id_.startswith("hidden-") for id_ in found.cis["changed"])
    approvals = kept_rows.every(part(shop, 'name == "shop"'), "approval").items
    assert shop.ids["shop"] in approvals[0].cis["service"] and len(approvals) == 1
    assert kept_rows.every(part(shop, 'name == "shop"'), "assessment").items == ()


def test_a_body_that_means_a_ci_by_its_id_names_it_too(shop: BookedShop) -> None:
    expected = [{"edit": "relate", "from": shop.ids["web1"], "relation": "depends_on", "to": shop.ids["db"]}]
    made = shop.change("web1", expected=expected)
    assert "expected" not in told(shop, 'name == "web1"', made.number).body
    assert "expected" in told(shop, 'name in ["web1", "db"]', made.number).body


def test_plain_is_what_is_nobodys_words() -> None:
    body = {
        "summary": "s",
        "type": "normal",
        "owner": "ann",
        "windows": [],
        "started_at": "t",
        "template": "TPL0000001",
    }
    assert plain_body(kinds()["change"], body).keys() == {"type", "windows", "started_at", "template"}
    assert plain_body(None, body) == {}
