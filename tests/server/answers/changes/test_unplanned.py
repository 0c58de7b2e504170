"""What discovery saw change outside of any change, as it is asked for, on either store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.changes import unplanned as asking
from cmdb_server.answers.changes.proceeding import move
from cmdb_server.answers.changes.unplanned import Unplanned, unplanned
from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.sight import is_token
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Forgotten, Invalid
from cmdb_server.ingest.declare import create, edit
from cmdb_server.jobs import unplanned as job
from cmdb_server.jobs.timed import Running
from cmdb_server.model.instants import rfc3339
from cmdb_server.practices import kept, retention
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_rows import every
from cmdb_server.practices.kind_files import kinds
from cmdb_server.practices.timed import Job
from cmdb_server.projection.projections import Projections
from cmdb_server.settings import SAMPLE_DAYS, Settings
from cmdb_server.store.port import Store
from tests.estate import DAY, MINUTE, Estate, minute
from tests.factories import host
from tests.shop import VIEWER, seeing

LATE = 3 * DAY // MINUTE
"""When is asked, in minutes."""
PARTS = {"a": "10.0.0.1", "b": "10.0.0.2"}


class Asked(Estate):
    """Two hosts, of which each scan tells the versions."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.now: float = LATE
        self.projections = Projections(store, clock=lambda: minute(self.now))
        self.scan(0)

    def scan(self, at: float, a: str = "11", b: str = "11", target: str = "10.0.0.0/24", **more: Any) -> None:
        told = (host(name, PARTS[name], os_version=os, **more) for name, os in (("a", a), ("b", b)) if os)
        self.tell(at, *told, target=target)

    def ask(
        self, since: float = -1, until: float | None = None, viewer: Viewer = VIEWER, **more: Any
    ) -> Unplanned:  # fmt: skip
        end = None if until is None else minute(until)
        return unplanned(self.projections, viewer, minute(since), end, **more)

    def book(self, start: float, end: float, *names: str) -> None:
        window = {"start": rfc3339(minute(start)), "end": rfc3339(minute(end))}
        body = {"summary": "upgrade", "type": "emergency", "plan": "p", "windows": [window]}
        changed = {"changed": [self.ci(name)["id"] for name in names]}
        opened = kept.open_(self.store, "change", body, changed, By("bob", ("operator",), minute(1)))
        self.now = 2
        for way in ("authorise", "schedule"):
            by = By("ann", ("admin",), minute(2), "so be it")
            move(self.projections, Viewer("ann", "admin"), opened.number, way, by, {}, None, kinds())
        self.now = LATE

    def look(self) -> None:
        running = Running(Settings(), self.store, self.projections, classes(), kinds())
        job.look(running, Job("unplanned", "unplanned", {}, 0), minute(LATE))


@pytest.fixture
def asked(each_store: Store) -> Asked:
    return Asked(each_store)


def told(found: Unplanned) -> Sequence[tuple[str, str]]:
    return [(one.difference.change, one.difference.name) for one in found.items]


def test_a_value_that_changed_is_told_with_when_and_what(asked: Asked) -> None:
    asked.scan(60, "12")
    found = asked.ask()
    [one] = found.items
    assert (one.at, one.number, found.cursor) == (minute(60), None, None)
    assert dict(one.difference.values) == {"os_version": ("11", "12")}
    assert [(ci.id, ci.name, ci.class_) for ci in one.cis] == [(asked.ci("a")["id"], "a", "server")]


def test_entries_and_first_sightings_are_none(asked: Asked) -> None:
    made = create(asked.store, "ann", "server", {"name": "new", "os_version": "1"}, now_ms=minute(10))
    edit(asked.store, "ann", made.ci, {"os_version": "2"}, asked.ci("new")["revision"], now_ms=minute(11))
    asked.tell(12, host("c", "10.9.0.1", os_version="3"), source="import:cmdb", target="cmdb")
    asked.tell(13, host("c", "10.9.0.1", os_version="4"), source="import:cmdb", target="cmdb")
    asked.tell(20, host("z", "10.8.0.1", listens=[80]), target="10.8.0.0/24")
    asked.scan(30, asset_tag="told for the first time")
    assert asked.ask().items == ()


@pytest.mark.parametrize(
    ("at", "excused"),
    [(50, False), (70, True), (120 + 1439, True), (120 + 1441, False)],
    ids=["before", "within", "a-day-after", "later"],
)  # fmt: skip
def test_a_booked_change_excuses_what_is_seen_until_a_day_after(asked: Asked, at: float, excused: bool) -> None:
    asked.book(60, 120, "a")
    asked.scan(at, "12")
    assert (asked.ask().items == ()) is excused
    asked.scan(at + 1, "12", "12")
    assert ("changed", "b") in told(asked.ask()), "it is not about that one"


def test_only_what_was_received_in_the_time(asked: Asked) -> None:
    for at, version in ((60, "12"), (120, "13"), (180, "14")):
        asked.scan(at, version)
    assert [one.at for one in asked.ask(60, 120).items] == [minute(120)]
    assert [one.at for one in asked.ask(59, 179).items] == [minute(60), minute(120)]
    assert [one.at for one in asked.ask(61).items] == [minute(120), minute(180)]


def test_page_by_page_it_is_the_same(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, version in enumerate("2345", 1):
        asked.scan(60 * number, version, version, listens=[80] if number > 2 else [])
    whole = asked.ask()
    assert len(whole.items) > 8
    monkeypatch.setattr(asking, "LOOKS", 1)
    for limit in (1, 3):
        items, cursor, pages = [], None, 0
        while pages == 0 or cursor is not None:
            page = asked.ask(limit=limit, cursor=cursor)
            assert len(page.items) <= limit
            items, cursor, pages = [*items, *page.items], page.cursor, pages + 1
        assert tuple(items) == whole.items and pages >= len(items) / limit


def test_where_little_is_unplanned_a_page_goes_on_without_being_full(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asking.strays
    asked.tell(10, *(host(f"h{n}", f"10.7.0.{n}") for n in range(1, 9)), target="10.7.0.0/24")
    asked.scan(60, "12")
    monkeypatch.setattr(asking, "LOOKS", 1)
    monkeypatch.setattr(asking, "strays", lambda *told, **more: real(*told, **more | {"most": 1}))
    first = asked.ask()
    assert first.items == () and first.cursor is not None
    assert told(asked.ask(cursor=asked.ask(cursor=first.cursor).cursor)) == [("changed", "a")]


def test_it_bears_the_number_under_which_it_was_kept(asked: Asked) -> None:
    asked.look()
    for at, versions in ((60, ("12", "11")), (120, ("12", "13")), (180, ("12", ""))):
        asked.scan(at, *versions)
        asked.look()
    asked.scan(240, "14", "")
    numbers = [one.number for one in every(asked.store, "unplanned_change").items]
    assert len(numbers) == 3
    found = asked.ask().items
    assert [one.number for one in found] == [*numbers, None]
    assert found[2].difference.change == "ended", "though what is kept of it names no CI"


def test_who_sees_a_part_is_told_of_that_and_excused_by_all(asked: Asked) -> None:
    asked.book(60, 120, "a", "b")
    asked.scan(70, "12", "12")
    asked.look()
    asked.scan(2000, "13", "13")
    asked.look()
    viewer = seeing(asked.projections, 'name == "a"')
    found = asked.ask(viewer=viewer)
    assert told(found) == [("changed", "a")] and [one.name for one in found.items[0].cis] == ["a"]
    assert asked.ci("b")["id"] not in str(found)
    assert [one.number for one in found.items] == [asked.ask().items[0].number]
    assert asked.ask(viewer=seeing(asked.projections, 'name == "nobody"')).items == ()


def test_the_end_that_is_not_seen_is_a_token(asked: Asked) -> None:
    for at, uses in ((60, []), (120, [("10.0.0.2", 80)])):
        asked.tell(at, host("a", "10.0.0.1", listens=[81], uses=uses), host("b", "10.0.0.2", listens=[80]))
    found = asked.ask(61, viewer=seeing(asked.projections, 'name == "a"')).items
    [one] = [one for one in found if one.difference.kind == "relation"]
    assert is_token(one.difference.id[2]) and one.difference.name == f"app {one.difference.id[2]}"
    assert [is_token(ci.id) for ci in one.cis] == [False, True] and one.cis[1].name is None
    assert asked.ci("b")["id"] not in str(found)


def test_a_change_that_is_not_seen_excuses_all_the_same(asked: Asked) -> None:
    asked.book(100, 130, "b")
    viewer = seeing(asked.projections, 'name == "a"')
    assert every(as_seen(asked.store, viewer), "change").items == ()
    for at, uses in ((60, []), (120, [("10.0.0.2", 80)])):
        asked.tell(at, host("a", "10.0.0.1", listens=[81], uses=uses), host("b", "10.0.0.2", listens=[80]))
    assert asked.relations("depends_on") == {("app", "depends_on", "app")}
    assert asked.ask(61, viewer=viewer).items == ()


def test_what_cannot_be_asked(asked: Asked) -> None:
    with pytest.raises(Invalid, match="until"):
        asked.ask(9, 9)
    for cursor in ("x", "1 moon y"):
        with pytest.raises(Invalid, match="cursor"):
            asked.ask(cursor=cursor)


def test_what_was_dropped_is_not_told_of_as_nothing(asked: Asked) -> None:
    asked.scan(60, "12")
    asked.scan(LATE - 1, "13")
    retention.retain(
        asked.store, classes(), minute(2 * 1440), SAMPLE_DAYS, "ann", now_ms=minute(LATE), apply=True
    )  # fmt: skip
    with pytest.raises(Forgotten, match="since"):
        asked.ask(30)
