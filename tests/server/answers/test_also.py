"""What else is booked or open at the shop, beside what is asked about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.answers.also import Asked, ContextTold
from cmdb_server.answers.impact import impact
from cmdb_server.model.instants import rfc3339
from cmdb_server.practices import kept
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_rows import row_of
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import KEPT
from tests.shop import NOW, VIEWER, Shop

HOUR = 3_600_000


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def outage(shop: Shop, *names: str, since: int = NOW) -> str:
    told = {"summary": "gone", "started_at": rfc3339(since)}
    by = By("ann", ("operator",), shop.at)
    return kept.open_(shop.store, "outage", told, {"down": [shop.ids[name] for name in names]}, by).number


def booked(shop: Shop, name: str, start: int, end: int) -> str:
    """A change as it stands once it is scheduled; how it gets there is not asked here."""
    told = {"summary": f"change {name}", "windows": [{"start": rfc3339(start), "end": rfc3339(end)}]}
    by = By("ann", ("operator",), shop.at)
    made = kept.open_(shop.store, "change", told, {"changed": [shop.ids[name]]}, by)
    shop.store.write(lambda tx: tx.put(KEPT, [row_of(replace(made, state="scheduled"))]))
    return made.number


def context(shop: Shop, *failed: str, **asked: Any) -> ContextTold:
    answer = impact(shop.projections, VIEWER, [shop.ids[name] for name in failed], also=Asked(**asked))
    assert answer.context is not None
    json.dumps(answer.as_json())
    return answer.context


def names(told: ContextTold) -> dict[str, set[str | None]]:
    return {part: {ci.name for ci in getattr(told, part)} for part in ("already", "alone", "anyway", "together")}


ABOVE = {"lb", "app", "shop", "wiki"}


def test_an_open_outage_and_mine_meet_at_the_pool(shop: Shop) -> None:
    number = outage(shop, "web2")
    told = context(shop, "web1", also="open")
    assert names(told) == {"already": {"web2"}, "alone": {"web1"}, "anyway": set(), "together": ABOVE}
    (point,) = told.meeting_points
    assert (point.ci.name, point.gate.text, point.with_) == ("lb", "0 of 2 serving, needs 1", (number,))
    assert (point.minimal_group, point.others_may_exist) == (False, False)
    (other,) = told.others
    assert (other.number, other.kind, other.state, other.summary) == (number, "outage", "open", "gone")
    assert [(span.start, span.end) for span in other.spans] == [(NOW, None)]
    assert told.counts == {"already": 1, "alone": 1, "anyway": 0, "together": 4}


def test_what_is_down_anyway_is_neither_mine_nor_theirs_alone(shop: Shop) -> None:
    outage(shop, "db")
    told = names(context(shop, "rack", also="both"))
    assert told["anyway"] == {"db", "app", "shop", "wiki"}
    assert told["alone"] == {"rack", "db-host"}


def test_changes_count_in_their_windows(shop: Shop) -> None:
    number = booked(shop, "web2", shop.at + HOUR, shop.at + 2 * HOUR)
    assert context(shop, "web1", also="booked").others == ()
    assert context(shop, "web1", also="open", during=(shop.at, None)).others == ()
    told = context(shop, "web1", also="both", during=(shop.at, shop.at + 2 * HOUR))
    assert [one.number for one in told.others] == [number]
    assert names(told)["together"] == ABOVE
    assert context(shop, "web1", also="both", during=(shop.at + 2 * HOUR, None)).others == ()
    assert context(shop, "web1", also="both", during=(shop.at, None), but=[number]).others == ()


def test_an_ended_outage_is_over(shop: Shop) -> None:
    number = outage(shop, "web2")
    kept.move(shop.store, number, "end", By("ann", ("operator",), shop.at))
    assert context(shop, "web1", also="both").others == ()


def test_what_is_held_to_stay_up_or_was_not_there_takes_nothing_down(shop: Shop) -> None:
    outage(shop, "web2")
    ids = [shop.ids["web1"]]
    spared = impact(shop.projections, VIEWER, ids, not_impacted=[shop.ids["web2"]], also=Asked("open")).context
    assert spared is not None and names(spared)["together"] == set()
    past = impact(shop.projections, VIEWER, [shop.ids["rack"]], at=NOW, also=Asked("open")).context
    assert past is not None and [one.cis for one in past.others] == [()]


def test_without_being_asked_nothing_is_told(shop: Shop) -> None:
    outage(shop, "web2")
    assert impact(shop.projections, VIEWER, [shop.ids["web1"]]).context is None
