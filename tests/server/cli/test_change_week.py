"""A week of a change manager at the command line: what is booked, what may not be, what came of it, against one server."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from icalendar import Calendar

from cmdb_schemas.report import Observation
from cmdb_server.api.context import now_ms
from cmdb_server.cli.main import main
from tests.factories import host, report
from tests.receiver import Receiver
from tests.server.cli.conftest import Ran
from tests.serving import Served, served
from tests.smtpd import Mailbox, smtpd

ZONE = "Europe/Berlin"
ESTATE = '''class,name,load_balances,depends_on,member_rule,gate,owned_by,business_criticality,availability_target,service_hours
server,db-1,,,,,,,,
server,db-2,,,,,,,,
server,app-1,,,,,,,,
server,app-2,,,,,,,,
server,app-3,,,,,,,,
server,lone-1,,,,,,,,
load_balancer,lb,server:web-1;server:web-2;server:web-3,,,,,,,
application_service,books,,server:db-1;server:db-2,,"{""depends_on"": {""kind"": ""at_least"", ""k"": 1}}",,,,
business_service,shop,,load_balancer:lb,,,shop@example.org,most_critical,99.9,Mo-Su 06:00-23:00 Europe/Berlin
business_service,billing,,,"class == ""application_service""",,cfo,critical,99.5,
'''


@dataclass
class Office:
    """One server, who is heard by it, and everybody's command line."""

    server: Served
    receiver: Receiver
    box: Mailbox
    folder: Path
    tokens: dict[str, str] = field(default_factory=dict)
    begun: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def run(self, *arguments: str, by: str = "ann") -> Ran:
        """``cmdb`` in this process: a week has many commands, and each process of its own takes its time to begin."""
        out, err = io.StringIO(), io.StringIO()
        told = {"CMDB_SERVER": self.server.url, "CMDB_TOKEN": self.tokens.get(by, self.server.token)}
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in told.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            try:
                code = main(arguments)
            except SystemExit as end:
                code = int(end.code or 0)
        return Ran(code, out.getvalue(), err.getvalue())

    def do(self, *arguments: str, by: str = "ann") -> str:
        ran = self.run(*arguments, by=by)
        assert ran.code == 0, (arguments, ran.err)
        return ran.out

    def ask(self, *arguments: str, by: str = "ann") -> Any:
        return json.loads(self.do(*arguments, "--json", by=by))

    def refused(self, *arguments: str, by: str = "ann") -> str:
        ran = self.run(*arguments, by=by)
        assert ran.code == 1, (arguments, ran)
        return ran.err

    def window(self, start: float, end: float, **more: Any) -> str:
        """From hour to hour of the week, by the clock of Berlin."""
        first, last = (
            (self.begun + timedelta(hours=one)).astimezone(ZoneInfo(ZONE)).isoformat() for one in (start, end)
        )
        return "windows=" + json.dumps([{"start": first, "end": last, **more}])

    def open(self, what: str, *cis: str, at: tuple[float, float] = (30, 32), by: str = "ann", **more: str) -> str:
        said = {"summary": what, "plan": "as written down", "back_out": "and back", **more}
        told = [f"--set={name}={value}" for name, value in said.items()]
        named = [f"--ci=changed={one}" for one in cis]
        when = () if "windows" in said else (f"--set={self.window(*at)}",)
        return str(self.ask("kept", "open", "change", *told, *named, *when, by=by)["number"])

    def put_up(self, number: str) -> None:
        for transition in ("assess", "authorise"):
            self.do("kept", "move", number, transition)

    def approve(self, number: str) -> None:
        for one in self.ask("change", "approvals", number):
            if one["state"] == "requested":
                self.do("kept", "move", one["number"], "approve", by=one["body"].get("approver") or "bob")

    def book(self, number: str, note: str = "") -> None:
        self.put_up(number)
        self.approve(number)
        self.do("kept", "move", number, "schedule", "--note", note, by="bob")

    def deliver(self, id_: str, *seen: Observation) -> None:
        bearer = {"Authorization": f"Bearer {self.server.token}", "Content-Type": "application/json"}
        body = report(id_, now_ms(), seen)
        answer = httpx.post(f"{self.server.url}/api/v1/reports", content=body, headers=bearer)
        assert answer.status_code == 200, answer.text


def until(there: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        receiver = Receiver()
        stack.callback(receiver.stop)
        receiver.reply = lambda _: (200, {}, b"")
        box = stack.enter_context(smtpd())
        settings = {
            "CMDB_WEBHOOK_NETWORKS": "127.0.0.0/8", "HOOK_KEY": "hush", "CMDB_SMTP_HOST": "127.0.0.1",
            "CMDB_SMTP_PORT": str(box.port), "CMDB_SMTP_SECURITY": "none", "CMDB_SMTP_FROM": "cmdb@example.org",
        }  # fmt: skip
        yield Office(stack.enter_context(served(tmp_path, **settings)), receiver, box, tmp_path)


def test_a_week(office: Office) -> None:
    the_estate(office)
    calendar(office)
    web = fatal_together(office)
    special(office)
    release_of_three(office)
    done_and_seen(office, web)
    told_of(office)


def the_estate(office: Office) -> None:
    """Servers that were scanned, what stands on them that was entered, people with tokens, and who is told."""
    for subject, role in (("ann", "operator"), ("bob", "approver"), ("shop@example.org", "reader"), ("cfo", "reader")):
        office.tokens[subject] = office.ask("token", "create", subject, "--role", role, by="admin")["token"]
    office.deliver("first", *(host(f"web-{n}", f"10.0.0.{n}", os_name="debian 12", role="web") for n in (1, 2, 3)))
    (office.folder / "estate.csv").write_text(ESTATE)
    office.do("import", "estate.csv", "--name", "estate", by="admin")
    office.do("create", "person", "cfo", "--set", "email=cfo@example.org", by="admin")
    office.do("webhooks", "add", office.receiver.url, "--secret", "env:HOOK_KEY", "--kind", "kept", by="admin")
    assert all(name in office.do("requires", "shop") for name in ("lb", "web-1", "web-2", "web-3"))
    assert all(name in office.do("requires", "billing") for name in ("books", "db-1", "db-2"))
    assert "application_service books" in office.do("spof", "billing")
    assert "shop" in office.do("services", "web-2")


def calendar(office: Office) -> None:
    nights = ("--set", "summary=Nights", "--set", office.window(28, 36, rrule="FREQ=DAILY", zone=ZONE))
    office.do("kept", "open", "maintenance_window", *nights, by="bob")
    closed = (
        "--set",
        "summary=Accounts are closed",
        "--set",
        office.window(60, 90),
        "--set",
        'selector=name == "lone-1"',
    )
    assert "FRZ0000001" in office.do("kept", "open", "freeze", *closed, by="bob")
    backwards = ("--set", "summary=x", "--set", office.window(40, 30))
    assert "end" in office.refused("kept", "open", "freeze", *backwards, by="bob")


def fatal_together(office: Office) -> str:
    """Three of three web servers, and both of two databases: each may go alone."""
    one, two, three = (office.open(f"Renew web-{n}", f"web-{n}", team="web") for n in (1, 2, 3))
    base, other = (office.open(f"Patch db-{n}", f"db-{n}", team="base") for n in (1, 2))
    for number in (one, two, base):
        office.book(number)
    assert "no service is hit" in office.do("change", "assess", two)
    told = office.do("change", "assess", three)
    assert f"fatal together with {one}, {two}\n" in told and f"shop together with {one}, {two} shop@example.org" in told
    assert "0 of 3 serving, needs 1" in told and base not in told
    told = office.do("change", "assess", other)
    assert f"fatal together with {base}\n" in told and "billing" in told and "cfo approves" in told
    office.put_up(three)
    assert "shop@example.org" in office.do("change", "approvals", three)
    mine = office.ask("change", "approvals", three)[0]["number"]
    assert office.run("kept", "move", mine, "approve", by="ann").code == 4, "nobody approves a change of their own"
    office.approve(three)
    told = office.refused("kept", "move", three, "schedule", by="bob")
    assert f"{three} is fatal together with {one}, {two}; say why all the same" in told
    (slot,) = [office.ask("change", "slot", three)]
    found = office.ask("kept", "show", one)["body"]["windows"][0]
    apart = (datetime.fromisoformat(slot["slot"]["end"]), datetime.fromisoformat(found["start"]))
    assert apart[0] <= apart[1], "it ends as the others begin"
    return one


def special(office: Office) -> None:
    """Standard, recurring, frozen and urgent."""
    said = {
        "summary": "Restart a web server",
        "selector": 'role == "web"',
        "longest": "PT1H",
        "plan": "restart",
        "back_out": "-",
    }
    office.do("kept", "open", "template", *(f"--set={name}={value}" for name, value in said.items()))
    office.do("kept", "move", "TPL0000001", "approve", by="bob")
    standard = {"type": "standard", "template": "TPL0000001", "team": "web"}
    weekly = office.window(150, 150.5, rrule="FREQ=WEEKLY;COUNT=3", zone=ZONE).removeprefix("windows=")
    again = office.open("Restart weekly", "web-2", **standard, windows=weekly)
    office.do("kept", "move", again, "schedule")
    assert office.do("change", "assess", again).count("when ") == 3
    other = office.open("Restart a database", "db-2", at=(150, 152), **standard)
    told = office.refused("kept", "move", other, "schedule")
    assert "it is not for" in told and "a window is longer than PT1H" in told
    frozen = office.open("Move lone-1", "lone-1", at=(62, 64))
    office.put_up(frozen)
    assert "lies in the freeze FRZ0000001 (Accounts are closed)" in office.refused(
        "kept", "move", frozen, "schedule", by="bob"
    )
    told = office.do("change", "assess", frozen)
    assert "in the freeze FRZ0000001" in told and "outside of maintenance windows" in told
    slot = office.ask("change", "slot", frozen, "--after", (office.begun + timedelta(hours=60)).isoformat())["slot"]
    assert datetime.fromisoformat(slot["start"]) >= office.begun + timedelta(hours=90), "after the freeze"
    exempt = ("kept", "move", frozen, "exempt", "--set", 'exempt_from=["FRZ0000001"]', "--note", "agreed")
    assert office.run(*exempt, by="ann").code == 4
    office.do(*exempt, by="bob")
    office.do("kept", "move", frozen, "schedule", by="bob")
    urgent = office.open("Stop the leak", "lone-1", at=(61, 62), type="emergency")
    office.do("kept", "move", urgent, "authorise")
    assert "say why it cannot wait" in office.refused("kept", "move", urgent, "schedule", by="bob")
    office.do("kept", "move", urgent, "schedule", "--note", "data is leaving", by="bob")


def release_of_three(office: Office) -> None:
    numbers = [office.open(f"Version 2 on app-{n}", f"app-{n}", at=(100 + n, 101 + n), team="apps") for n in (1, 2, 3)]
    said = ("kept", "open", "release", "--set", "summary=Version 2", "--set")
    office.do(*said, f"changes={json.dumps(numbers)}")
    told = office.do("change", "release", "REL0000001")
    assert [told.index(one) for one in numbers] == sorted(map(told.index, numbers)) and "before the one" not in told
    office.do(*said, f"changes={json.dumps(numbers[::-1])}")
    assert office.do("change", "release", "REL0000002").count("begins before the one before it has ended") == 2
    assert f"waits for {numbers[0]} (new)" in office.refused("kept", "move", "REL0000001", "release")


def done_and_seen(office: Office, web: str) -> None:
    office.do("kept", "move", web, "rework", "--note", "tell what it leaves")
    id_ = office.ask("show", "web-1")["id"]
    expected = [
        {"edit": "set", "ci": id_, "attribute": "os_name", "value": "debian 13"},
        {"edit": "set", "ci": id_, "attribute": "role", "value": "shop"},
    ]
    office.do("kept", "edit", web, "--set", "expected=" + json.dumps(expected))
    office.book(web)
    assert "is not booked for now; say why" in office.refused("kept", "move", web, "implement")
    begun = office.ask("kept", "move", web, "implement", "--note", "brought forward")["body"]["started_at"]
    until(lambda: datetime.now(UTC) > datetime.fromisoformat(begun) + timedelta(milliseconds=5))
    ended = datetime.now(UTC).isoformat(timespec="milliseconds")
    seen = [host(f"web-{n}", f"10.0.0.{n}", os_name="debian 12", role="web") for n in (2, 3)]
    office.deliver("second", host("web-1", "10.0.0.1", os_name="debian 13", role="web", cpu_count=8), *seen)
    office.do("kept", "move", web, "review", "--set", "outcome=with_issues", "--set", f"ended_at={ended}")
    verified = office.run("change", "verify", web)
    assert verified.code == 1 and "not as expected" in verified.out
    for line in (
        "done set web-1 (server) os_name debian 13",
        "missing set web-1 (server) role shop",
        "web-1 cpu_count: nothing -> 8",
    ):
        assert line in verified.out, verified.out
    until(lambda: office.ask("kept", "list", "verification"))
    assert f"{web}: 1 missing, 1 not planned" in office.do("kept", "list", "verification")
    office.do("kept", "edit", web, "--set", "review=The role was forgotten")
    office.do("kept", "move", web, "close", by="bob")
    for by, name in (("team", "web"), ("type", "normal"), ("ci", "web-1 (server)")):
        told = office.do("change", "success", "--by", by)
        assert re.search(rf"^{re.escape(name)} +1 +0 +1 ", told, re.MULTILINE), told
    told = office.do("kept", "history", web)
    assert "brought forward" in told and "tell what it leaves" in told and "closed" in told


def told_of(office: Office) -> None:
    """Who is to know: the owners of what is hit, whoever listens, and those with a calendar."""
    balancer = office.open("Replace the load balancer", "lb", at=(126, 127), team="net")
    assert "down business_service shop shop@example.org approves" in office.do("change", "assess", balancer)
    office.book(balancer)
    until(lambda: any(f"{balancer} scheduled" in one["Subject"] for one in office.box.messages))
    letter = next(one for one in office.box.messages if f"{balancer} scheduled" in one["Subject"])
    assert letter["To"] == "shop@example.org" and "shop" in letter["Subject"]
    assert all("cfo@" not in one["To"] for one in office.box.messages), "nothing takes billing down"
    wanted = {"cmdb.change.opened", "cmdb.approval.opened", "cmdb.verification.opened", "cmdb.freeze.opened"}
    until(lambda: wanted <= {event["type"] for batch in office.receiver.received for event in batch})
    told = office.do("schedule")
    assert "Accounts are closed" in told and "and 2 times more" in told and balancer in told
    for format_, start in (("markdown", "# Schedule from"), ("html", "<!doctype html>")):
        told = office.do("schedule", "--service", "shop", "--format", format_)
        assert told.lower().startswith(start.lower()) and balancer in told and "Move lone-1" not in told
    assert f"# Assessment of {balancer}" in office.do("change", "assess", balancer, "--format", "markdown")
    days = Calendar.from_ical(office.do("schedule", "--owner", "cfo", "--format", "ics")).walk("VEVENT")
    assert [str(one["SUMMARY"]).split(" ", 1)[1] for one in days] == ["Patch db-1"]
