"""Assessments for who does not see everything: figures of everything, names of what is seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.changes.assessment import assess
from cmdb_server.answers.changes.proceeding import assess_and_keep
from cmdb_server.answers.changes.release import release
from cmdb_server.answers.changes.slots import next_slot
from cmdb_server.answers.changes.verification import verify
from cmdb_server.errors import Forbidden, NotFound
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import BookedShop, window
from tests.shop import VIEWER, seeing


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[BookedShop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    made = BookedShop(store)
    made.enter("blog", "business_service", owned_by="olga")
    made.relate("blog", "depends_on", "app")
    yield made
    store.close()


SEES = 'name in ["web1", "shop"]'


def test_the_figures_are_of_everything_and_the_names_of_what_is_seen(shop: BookedShop) -> None:
    shop.book("web2", at=(10, 12), note="all the same", summary="secret words")
    shop.keep("freeze", {"frozen": ["db", "web1"]}, "admin", summary="secret words", windows=[window(11, 13)])
    change = shop.change("web1", "db")
    whole = assess(shop.projections, VIEWER, change.number)
    told = assess(shop.projections, seeing(shop.projections, SEES), change.number)
    text = json.dumps(told.as_json())
    for name in ("web2", "db", "lb", "app", "wiki", "blog"):
        assert shop.ids[name] not in text and f'"name": "{name}"' not in text
    assert "secret words" not in text and "olga" not in text and "secret words" in json.dumps(whole.as_json())
    assert (told.risk, told.substance, told.version) == (whole.risk, whole.substance, whole.version)
    assert [one.numbers for one in told.collisions] == [one.numbers for one in whole.collisions]
    assert {one.service.name for one in told.approvals} == {"shop", None}
    assert len(told.approvals) == len(whole.approvals)
    assert told.impact is not None and whole.impact is not None
    assert told.impact.certificate == whole.impact.certificate
    assert told.impact.counts["by_state"] == whole.impact.counts["by_state"]
    (frozen,) = told.conditions.freezes
    assert shop.ids["web1"] in frozen.cis and len(frozen.cis) == 2


def test_what_is_kept_is_all_of_it_whoever_asks(shop: BookedShop) -> None:
    change = shop.change("web1")
    kept, _ = assess_and_keep(shop.projections, seeing(shop.projections, SEES), change.number)
    asked = {one["service"]["id"] for one in kept.body["result"]["approvals"]}
    assert asked == set()
    change = shop.change("app")
    kept, _ = assess_and_keep(shop.projections, seeing(shop.projections, SEES), change.number)
    asked = {one["service"]["id"] for one in kept.body["result"]["approvals"]}
    assert asked == {shop.ids[name] for name in ("shop", "wiki", "blog")}


def test_a_change_that_is_not_seen_is_not_there(shop: BookedShop) -> None:
    change, viewer = shop.change("db"), seeing(shop.projections, SEES)
    for question in (assess, next_slot, verify, release):
        with pytest.raises(NotFound, match=f"there is no .*{change.number}"):
            question(shop.projections, viewer, change.number)


def test_what_is_held_against_expectations_is_so_in_whole_alone(shop: BookedShop) -> None:
    change, viewer = shop.change("web1", "db"), seeing(shop.projections, SEES)
    both = shop.keep("release", changes=[change.number])
    with pytest.raises(Forbidden, match="do not see"):
        verify(shop.projections, viewer, change.number)
    with pytest.raises(Forbidden, match="do not see"):
        release(shop.projections, viewer, both.number)


def test_ids_in_words_are_tokens(shop: BookedShop) -> None:
    change = shop.change("web1", "db", type="standard")
    template = shop.keep("template", selector='name == "nobody"', plan="p", back_out="b")
    shop.go(template.number, "approve", "pat", "approver")
    number = shop.change("web1", "db", type="standard", template=template.number).number
    (fault,) = assess(shop.projections, seeing(shop.projections, SEES), number).template_faults
    assert shop.ids["web1"] in fault and "hidden-" in fault and shop.ids["db"] not in fault
    assert change.number != number
