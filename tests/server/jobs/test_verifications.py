"""A change is verified by itself once its window is over, and what came out is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.changes.proceeding import move
from cmdb_server.answers.feed import changes
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.declare import DeclaredRelation, create
from cmdb_server.jobs.timed import Running, run
from cmdb_server.jobs.webhooks import event
from cmdb_server.model.instants import rfc3339
from cmdb_server.practices import kept, kept_rows, timed
from cmdb_server.practices.kept import By
from cmdb_server.practices.kind_files import kinds
from cmdb_server.practices.notices import OWNERS
from cmdb_server.projection.projections import Projections
from cmdb_server.settings import Settings
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import Estate, minute
from tests.factories import host
from tests.smtpd import smtpd

DAY = 24 * 60


class Upgrade:
    """A host that is scanned, and an emergency that is to bring it from version 11 to 12 within an hour."""

    def __init__(self, folder: Path) -> None:
        self.estate = Estate(SqliteStore(folder / "cmdb.db"))
        self.store, self.now = self.estate.store, 0.0
        projections = Projections(self.store, clock=lambda: minute(self.now))
        self.running = Running(Settings(), self.store, projections, classes(), kinds())
        self.scan("11")
        ci = self.estate.ci("a")["id"]
        window = {"start": rfc3339(minute(60)), "end": rfc3339(minute(120))}
        expected = [{"edit": "set", "ci": ci, "attribute": "os_version", "value": "12"}]
        body = {"summary": "up", "type": "emergency", "plan": "p", "windows": [window], "expected": expected}
        opened = kept.open_(self.store, "change", body, {"changed": [ci]}, By("bob", ("operator",), minute(0)))
        self.number = opened.number
        for way in ("authorise", "schedule"):
            self.go(way)

    def at(self, now: float) -> None:
        self.now = now

    def scan(self, version: str, **more: Any) -> None:
        self.estate.tell(self.now, host("a", "10.0.0.1", os_version=version, **more))

    def go(self, way: str, **body: Any) -> None:
        by = By("ann", ("admin",), minute(self.now), "so be it")
        move(self.running.projections, Viewer("ann", "admin"), self.number, way, by, body, None, kinds())

    def work(self) -> list[tuple[str, bool, bool]]:
        """What is current after all that is due was done: summary, whether it holds, whether all was seen."""
        while run(self.running, minute(self.now)):
            pass
        found = kept_rows.every(self.store, "verification", ("current",)).items
        return [(one.body["summary"], one.body["holds"], one.body["seen"]) for one in found]

    @property
    def due(self) -> int | None:
        job = self.store.read(lambda tx: timed.one(tx, f"verify {self.number}"))
        assert job is not None and job.fault is None
        return job.due_at


@pytest.fixture
def upgrade(tmp_path: Path) -> Iterator[Upgrade]:
    made = Upgrade(tmp_path)
    yield made
    made.store.close()


def test_once_all_was_seen_since(upgrade: Upgrade) -> None:
    upgrade.at(61)
    upgrade.go("implement")
    upgrade.at(90)
    upgrade.go("review", outcome="successful")
    assert upgrade.work() == [] and upgrade.due == minute(105), "nothing is known yet"
    upgrade.at(110)
    upgrade.scan("12")
    assert upgrade.work() == [(f"{upgrade.number}: as expected", True, True)]
    assert upgrade.due is None


def test_a_scan_that_comes_late_and_tells_more(upgrade: Upgrade) -> None:
    upgrade.at(61)
    upgrade.go("implement")
    upgrade.at(90)
    upgrade.go("review", outcome="successful")
    upgrade.work()
    upgrade.at(10 * 60)
    upgrade.scan("11", listens=[80])
    [(summary, holds, seen)] = upgrade.work()
    assert summary.startswith(f"{upgrade.number}: 1 missing, ") and summary.endswith("not planned")
    assert (holds, seen) == (False, True)


def test_after_a_day_whatever_is_known(upgrade: Upgrade) -> None:
    upgrade.at(61)
    upgrade.go("implement")
    upgrade.at(90)
    upgrade.go("review", outcome="failed")
    upgrade.at(90 + DAY)
    assert upgrade.work() == [(f"{upgrade.number}: 1 missing", False, False)]
    assert upgrade.due is None


def test_what_is_still_under_way_as_its_window_ends(upgrade: Upgrade) -> None:
    upgrade.at(61)
    upgrade.go("implement")
    assert upgrade.due == minute(120)
    upgrade.at(121)
    assert upgrade.work() == [(f"{upgrade.number}: 1 missing", False, False)]
    upgrade.at(130)
    upgrade.scan("12")
    upgrade.go("review", outcome="successful")
    upgrade.at(131)
    upgrade.scan("12")
    assert upgrade.work() == [(f"{upgrade.number}: as expected", True, True)]
    kept_all = kept_rows.every(upgrade.store, "verification").items
    assert kept_all[0].state == "superseded"


def test_what_was_done_before_it_was_said_to_be_begun(upgrade: Upgrade) -> None:
    """The window had begun: what was seen since is of the change."""
    upgrade.at(65)
    upgrade.scan("12", asset_tag="A1")
    upgrade.at(70)
    upgrade.go("implement")
    upgrade.go("review", outcome="successful")
    upgrade.at(71)
    upgrade.scan("12", asset_tag="A1")
    [(summary, holds, _)] = upgrade.work()
    assert (summary, holds) == (f"{upgrade.number}: 1 not planned", False)


def test_one_that_was_called_off_meanwhile(upgrade: Upgrade) -> None:
    upgrade.go("cancel")
    assert upgrade.work() == []


def test_who_asked_for_it_and_the_owners_are_told_when_it_did_not_work(upgrade: Upgrade) -> None:
    """By a real mail server, and by what webhooks are sent."""
    store, ci = upgrade.store, upgrade.estate.ci("a")["id"]
    for name, address in (("bob", "bob@example.org"), ("Ann", "ann@example.org")):
        create(store, "x", "person", {"name": name, "email": address}, now_ms=minute(5))
    on = (DeclaredRelation("depends_on", ci),)
    create(store, "x", "business_service", {"name": "shop", "owned_by": "Ann"}, on, now_ms=minute(5))
    upgrade.at(61)
    upgrade.go("implement")
    upgrade.at(90)
    upgrade.go("review", outcome="successful")
    upgrade.at(110)
    upgrade.scan("11", asset_tag="A9")
    revision = store.revision()
    with smtpd() as box:
        settings = Settings(
            smtp_host="127.0.0.1", smtp_port=box.port, smtp_security="none", smtp_from="cmdb@example.org"
        )
        upgrade.running = replace(upgrade.running, settings=settings)
        assert upgrade.work() == [(f"{upgrade.number}: 1 missing, 1 not planned", False, True)]
        upgrade.at(111)
        upgrade.work()
        letters = {made["To"]: made for made in box.messages if "as expected" in made["Subject"]}
        others = {made["Subject"].split(":")[0]: made["To"] for made in box.messages}
        assert len(box.messages) == len(letters) + 2
        assert others[f"{upgrade.number} scheduled"] == "ann@example.org", "of the change as it was booked"
        assert others[f"{upgrade.number} asks for your approval"] == "ann@example.org", "who owned no service before"
    assert letters.keys() == {"bob@example.org", "ann@example.org"}
    assert letters["bob@example.org"]["Subject"] == f"{upgrade.number} not as expected: up"
    assert letters["ann@example.org"]["Subject"] == f"{upgrade.number} not as expected: up (shop)"
    for made in letters.values():
        text = made.get_body(("plain",))
        assert text is not None
        assert "a os_version: 12" in text.get_content() and "a changed: asset_tag from" in text.get_content()
    events = [event(one) for one in changes(store, revision).items if one.kept]
    [told] = [one for one in events if one["type"] == "cmdb.verification.opened"]
    assert told["data"]["kept"]["summary"] == f"{upgrade.number}: 1 missing, 1 not planned"


def test_nobody_is_told_when_it_did(upgrade: Upgrade) -> None:
    upgrade.at(61)
    upgrade.go("implement")
    upgrade.at(90)
    upgrade.go("review", outcome="successful")
    upgrade.at(110)
    upgrade.scan("12")
    assert upgrade.work() == [(f"{upgrade.number}: as expected", True, True)]
    told = [job.subject["number"] for job in timed.every(upgrade.store) if job.kind == OWNERS]
    assert told == [upgrade.number], "of its booking alone"
