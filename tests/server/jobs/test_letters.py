"""From an outage that is declared to the letters that a real SMTP server takes, whatever fails in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.ingest.declare import DeclaredRelation, create
from cmdb_server.jobs.timed import Running, run
from cmdb_server.practices import kept, timed
from cmdb_server.practices.kept import By
from cmdb_server.practices.kind_files import kinds
from cmdb_server.settings import Settings
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import BookedShop
from tests.smtpd import Mailbox, smtpd

LATER_MS = 3_600_000
OLGA = By("olga", ("operator",), 0)


class Office:
    """The shop with owners: ann has the shop, the crew the till, nobody the wiki."""

    def __init__(self, store: SqliteStore, box: Mailbox) -> None:
        self.shop, self.box = BookedShop(store), box
        person = create(store, "x", "person", {"name": "Ann", "email": "ann@example.org"}, now_ms=self.shop.at).ci
        create(store, "x", "support_group", {"name": "Crew", "email": "crew@example.org"}, now_ms=self.shop.at)
        on = DeclaredRelation("depends_on", self.shop.ids["app"])
        for name, owner in (("boutique", person), ("till", "Crew"), ("depot", "crew@example.org"), ("attic", "Zed")):
            self.shop.enter(name, "business_service", on, owned_by=owner)
        settings = Settings(
            smtp_host="127.0.0.1", smtp_port=box.port, smtp_security="none", smtp_from="cmdb@example.org"
        )
        self.running = Running(settings, store, self.shop.projections, classes(), kinds())
        self.now = self.shop.at

    def work(self) -> int:
        done = 0
        while count := run(self.running, self.now):
            done += count
        return done

    def outage(self, *names: str) -> str:
        down = {"down": [self.shop.ids[name] for name in names]}
        return kept.open_(self.shop.store, "outage", {"summary": "fire"}, down, replace(OLGA, now_ms=self.now)).number

    @property
    def told(self) -> list[str]:
        return sorted(made["To"] for made in self.box.messages)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    store = SqliteStore(tmp_path / "cmdb.db")
    with smtpd() as box:
        yield Office(store, box)
    store.close()


def test_the_owners_of_what_is_hit_are_told_once_each(office: Office) -> None:
    number = office.outage("db-host")
    assert office.work() == 3 and office.work() == 0
    assert office.told == ["ann@example.org", "crew@example.org"]
    crew = next(made for made in office.box.messages if made["To"] == "crew@example.org")
    assert crew["Subject"].startswith(f"{number} open: fire (") and "depot" in crew["Subject"]
    text = crew.get_body(("plain",))
    assert text is not None and "till" in text.get_content() and "boutique" not in text.get_content()


def test_nobody_is_told_of_what_holds(office: Office) -> None:
    office.outage("web1")
    assert office.work() == 1 and office.told == []


def test_what_is_not_taken_is_tried_again_and_no_one_else_twice(office: Office) -> None:
    office.box.reply = "451 later"
    office.outage("db-host")
    assert office.work() == 1 and office.told == []
    waiting = [job for job in timed.every(office.shop.store) if job.due_at is not None]
    assert len(waiting) == 2 and all(job.attempts == 1 and "451" in (job.fault or "") for job in waiting)
    office.box.reply = None
    office.now += LATER_MS
    assert office.work() == 2
    office.now += LATER_MS
    assert office.work() == 0 and office.told == ["ann@example.org", "crew@example.org"]


def test_done_twice_is_a_repeat_that_can_be_known(office: Office) -> None:
    """Who did a job may end before saying so: then another does it again."""
    office.outage("db-host")
    office.work()
    jobs = [job for job in timed.every(office.shop.store) if job.kind == "letter"]
    for job in jobs:
        office.shop.store.write(lambda tx, job=job: timed.schedule(tx, job.id, job.kind, job.subject, office.now))
    assert office.work() == 2
    ids = [made["Message-ID"] for made in office.box.messages]
    assert len(ids) == 4 and len(set(ids)) == 2


def test_a_change_is_told_of_when_it_is_booked(office: Office) -> None:
    evil = "move\r\nBcc: eve@example.org"
    office.shop.book("db", summary=evil, at=(10, 12), note="all the same")
    office.work()
    assert office.told == ["ann@example.org", "crew@example.org"]
    made = office.box.messages[0]
    assert made["Bcc"] is None and "scheduled: move Bcc: eve@example.org" in made["Subject"]
    text = made.get_body(("plain",))
    assert text is not None and "When: 2023-11-15T08:13:20" in text.get_content() and "By: bob" in text.get_content()


def test_owners_are_told_what_waits_for_their_approval(office: Office) -> None:
    change = office.shop.change("db", summary="new disks")
    for transition in ("assess", "authorise"):
        office.shop.go(change.number, transition)
    answered = next(one for one in office.shop.approvals(change.number) if one.body.get("approver") == "Crew")
    office.shop.go(answered.number, "approve", "Crew", "reader")
    office.work()
    assert office.told == ["ann@example.org", "crew@example.org"], "the depot's waits, the till's was given"
    ann = office.box.messages[0]
    assert ann["Subject"].startswith(f"{change.number} asks for your approval: new disks (boutique")
    text = ann.get_body(("plain",))
    assert text is not None and "cmdb kept move APR" in text.get_content() and "till" not in text.get_content()


@pytest.mark.parametrize("interruption", ["none", "degraded"])
def test_what_a_change_does_meanwhile_is_heeded(office: Office, interruption: str) -> None:
    office.shop.book("db", note="all the same", interruption=interruption)
    office.work()
    if interruption == "none":
        assert office.told == []
    else:
        text = office.box.messages[0].get_body(("plain",))
        assert text is not None and "◑ degraded" in text.get_content() and "✖ down" not in text.get_content()


def test_without_a_mail_server_nothing_is_left_waiting(office: Office) -> None:
    office.running = replace(office.running, settings=Settings())
    office.outage("db-host")
    assert office.work() == 1
    assert [job for job in timed.every(office.shop.store) if job.due_at is not None] == []


def test_an_address_that_is_refused_keeps_nobody_from_being_told(office: Office) -> None:
    create(office.shop.store, "x", "person", {"name": "Nob", "email": "nobody@example.org"}, now_ms=office.now)
    office.shop.enter(
        "cellar", "business_service", DeclaredRelation("depends_on", office.shop.ids["app"]), owned_by="Nob"
    )
    office.outage("db-host")
    office.work()
    assert office.told == ["ann@example.org", "crew@example.org"]
    (waiting,) = [job for job in timed.every(office.shop.store) if job.due_at is not None]
    assert waiting.subject["to"] == "nobody@example.org" and "550" in (waiting.fault or "")
