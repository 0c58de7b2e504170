"""What discovery saw change with nothing booked is reported once, by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.changes.proceeding import move
from cmdb_server.answers.feed import changes
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.declare import DeclaredRelation, create
from cmdb_server.jobs import standing, unplanned
from cmdb_server.jobs.timed import Running, run
from cmdb_server.jobs.webhooks import event
from cmdb_server.model.instants import rfc3339
from cmdb_server.practices import kept, kept_rows
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.practices.kind_files import kinds
from cmdb_server.practices.timed import Job
from cmdb_server.projection.projections import Projections
from cmdb_server.settings import Settings
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.sqlite.transaction import SqliteReading
from cmdb_server.store.tables import FEED, REPORT
from tests.estate import Estate, minute
from tests.factories import host
from tests.smtpd import smtpd

ONE = Job("unplanned", "unplanned", {}, 0)
HOUR = 60


class Watched:
    """An estate of two hosts that was scanned once, and is looked at from then on."""

    def __init__(self, folder: Path) -> None:
        self.estate = Estate(SqliteStore(folder / "cmdb.db"))
        self.store = self.estate.store
        self.running = Running(
            Settings(), self.store, Projections(self.store, clock=lambda: minute(30)), classes(), kinds()
        )
        self.scan(0)
        self.look(1)

    def scan(self, at: float, os: str = "11", name: str = "b", **more: Any) -> None:
        self.estate.tell(at, host("a", "10.0.0.1", os_version=os, **more), host(name, "10.0.0.2"))

    def look(self, at: float) -> list[Kept]:
        """What is found by then and was not before."""
        before = {one.number for one in self.kept}
        assert unplanned.look(self.running, ONE, minute(at)) == standing.again(standing.UNPLANNED, minute(at))
        return [one for one in self.kept if one.number not in before]

    @property
    def kept(self) -> list[Kept]:
        return list(kept_rows.every(self.store, "unplanned_change").items)

    def change(self, start: float, end: float, ci: str, *ways: str, **more: Any) -> None:
        """An emergency that was put to authorisation, and then gone these ways."""
        window = {"start": rfc3339(minute(start)), "end": rfc3339(minute(end))}
        body = {"summary": "upgrade", "type": "emergency", "plan": "p", "windows": [window], **more}
        opened = kept.open_(self.store, "change", body, {"changed": [ci]}, By("bob", ("operator",), minute(20)))
        for way in ("authorise", *ways):
            by = By("ann", ("admin",), minute(30), "so be it")
            move(self.running.projections, Viewer("ann", "admin"), opened.number, way, by, {}, None, kinds())

    def id(self, name: str) -> str:
        return str(self.estate.ci(name)["id"])


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    yield made
    made.store.close()


def told(one: Kept) -> list[tuple[str, str, dict[str, Any]]]:
    return [(each["change"], each["name"], each["values"]) for each in one.body["differences"]]


def test_what_changed_is_found_once(watched: Watched) -> None:
    watched.scan(60)
    assert watched.look(61) == []
    watched.scan(120, "12")
    [found] = watched.look(121)
    assert told(found) == [("changed", "a", {"os_version": ["11", "12"]})]
    assert found.cis == {"changed": (watched.id("a"),)} and found.subject == "cmdb"
    assert found.body["summary"] == "unplanned: a changed"
    watched.scan(180, "12")
    assert watched.look(181) == [] and watched.look(182) == []
    watched.scan(240, "11")
    assert [told(one) for one in watched.look(241)] == [[("changed", "a", {"os_version": ["12", "11"]})]]


def test_nothing_is_written_where_nothing_changed(watched: Watched) -> None:
    watched.scan(60)
    watched.look(61)
    before = watched.store.revision()
    assert watched.look(66) == [] and watched.store.revision() == before


def test_what_comes_and_goes(watched: Watched) -> None:
    watched.scan(60, listens=[80], packages=["pkg:deb/debian/nginx@1.22"])
    [found] = watched.look(61)
    assert ("created", "app", {}) in told(found) and ("created", "a pkg:deb/debian/nginx@1.22", {}) in told(found)
    assert found.cis["changed"][0] == watched.id("a"), "a part is a matter of the whole"
    watched.scan(120, name="c")
    assert {one[:2] for found in watched.look(121) for one in told(found)} >= {("created", "c"), ("ended", "b")}


def test_what_is_told_for_the_first_time_is_no_change(watched: Watched) -> None:
    watched.estate.tell(60, host("z", "10.9.0.1", listens=[80]), target="10.9.0.0/24")
    watched.estate.tell(61, host("a", "10.0.0.1", os_version="11", asset_tag="A7"), host("b", "10.0.0.2"))
    assert watched.look(62) == []


def test_what_people_enter_is_theirs(watched: Watched) -> None:
    create(watched.store, "ann", "server", {"name": "new"}, now_ms=minute(60))
    assert watched.look(61) == []


@pytest.mark.parametrize(
    ("start", "end", "ci", "states", "excused"),
    [
        (60, 120, "a", ["schedule"], True), (60, 120, "a", [], False), (60, 120, "b", ["schedule"], False),
        (60, 120, "a", ["schedule", "cancel"], False), (200, 260, "a", ["schedule"], False),
        (100, 160, "a", ["schedule", "implement"], True),
    ],
)  # fmt: skip
def test_what_was_booked_is_not(
    watched: Watched, start: float, end: float, ci: str, states: list[str], excused: bool
) -> None:
    watched.change(start, end, watched.id(ci), *states)
    watched.scan(130, "12")
    assert (watched.look(131) == []) is excused


def test_a_scan_long_after_the_change_is_not_of_it(watched: Watched) -> None:
    watched.change(60, 120, watched.id("a"), "schedule")
    watched.scan(24 * HOUR + 119, "12")
    assert watched.look(24 * HOUR + 120) == []
    watched.scan(24 * HOUR + 121, "13")
    assert len(watched.look(24 * HOUR + 122)) == 1


def test_what_was_said_to_come_is_not(watched: Watched) -> None:
    coming = [{"edit": "create", "class": "server", "name": "c"}]
    watched.change(60, 120, watched.id("a"), "schedule", expected=coming)
    watched.scan(130, name="c")
    [found] = watched.look(131)
    assert {one[:2] for one in told(found)} == {("ended", "b")}


def test_it_is_told_as_everything_kept_is(watched: Watched) -> None:
    watched.scan(60, "12")
    since = watched.store.revision()
    [found] = watched.look(61)
    [made] = [event(one) for one in changes(watched.store, since).items if one.kept]
    assert (made["type"], made["subject"]) == ("cmdb.unplanned_change.opened", found.number)
    assert made["data"]["kept"]["summary"] == "unplanned: a changed"
    done = kept.move(watched.store, found.number, "explain", By("olga", ("operator",), minute(70), "the night shift"))
    assert done.state == "explained"


def test_owners_of_what_stands_on_it_are_told(watched: Watched) -> None:
    on = DeclaredRelation("depends_on", watched.id("a"))
    create(
        watched.store, "x", "business_service", {"name": "shop", "owned_by": "ann@example.org"}, [on],
        now_ms=minute(20),
    )  # fmt: skip
    with smtpd() as box:
        settings = Settings(
            smtp_host="127.0.0.1", smtp_port=box.port, smtp_security="none", smtp_from="cmdb@example.org"
        )
        watched.running = Running(settings, watched.store, watched.running.projections, classes(), kinds())
        watched.scan(60, "12")
        watched.look(61)
        while run(watched.running, minute(62)):
            pass
        [made] = box.messages
        text = made.get_body(("plain",))
    assert made["To"] == "ann@example.org" and "found: unplanned: a changed" in made["Subject"]
    assert text is not None and "unknown" in text.get_content() and "down" not in text.get_content()


def test_its_cost_follows_the_feed(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much there is, only the rows of what changed are read."""
    watched.estate.tell(30, *(host(f"h{n}", f"10.1.0.{n}") for n in range(1, 60)), target="10.1.0.0/24")
    watched.look(31)
    watched.scan(60, "12")
    read: list[int] = []
    for name in ("get", "find"):
        plain = getattr(SqliteReading, name)

        def counted(self: Any, *told: Any, plain: Any = plain) -> Any:
            found = plain(self, *told)
            read.append(len(found))
            return found

        monkeypatch.setattr(SqliteReading, name, counted)
    assert len(watched.look(61)) == 1
    rows = watched.store.read(lambda tx: tx.count(FEED) + tx.count(REPORT))
    assert sum(read) < 80 < rows
