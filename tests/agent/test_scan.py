"""Real scans: of this machine, and over a real sshd on loopback."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from cmdb_agent.errors import TransportError
from cmdb_agent.observation import SnmpTransport, Transcript
from cmdb_agent.probes import probes
from cmdb_agent.scan import Reach, failed, scan, scan_one, silent
from cmdb_agent.settings import NO_SSH, Limits, Settings, SnmpAccess, SshAccess
from cmdb_agent.targets import Target, expand, parse
from cmdb_agent.transports.local import LocalTransport
from cmdb_agent.transports.snmp import SnmpTarget
from cmdb_schemas.report import Content, Report
from tests import sshd
from tests.snmprec import Recording, rows_of
from tests.sshd import Sshd

needs_sshd = pytest.mark.skipif(bool(sshd.MISSING), reason=sshd.MISSING)
NAMESPACES = shutil.which("unshare") and shutil.which("ip")
ROOT = Path(__file__).parents[2]
SETTINGS = Settings(agent="edge", site="lab", concurrency=4)


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with sshd.running() as running:
        yield running


def content(report: Report) -> Content:
    return msgspec.json.decode(report.content, type=Content)


def over_ssh(server: Sshd, **changes: object) -> Target:
    usual = SshAccess(user=server.user, keys=(f"file:{server.key}",), known_hosts=(str(server.known_hosts),))
    return parse(server.url, dataclasses.replace(usual, **changes))


def statuses(report: Report) -> dict[str, str]:
    return {one.section: one.status for one in content(report).coverage}


class Canned:
    """A transport that gives what a test says, for what no real host does to order."""

    def __init__(self, answer: Callable[[str], Transcript]) -> None:
        self.answer = answer
        self.closed = False

    def run(self, script: str) -> Transcript:
        return self.answer(script)

    def close(self) -> None:
        self.closed = True


def canned(answer: Callable[[str], Transcript], access: SshAccess = NO_SSH) -> Report:
    """The report on a host that answers so."""
    transport = Canned(answer)
    report = scan_one(parse("ssh://web1", access), SETTINGS, Reach(shell=lambda *_: transport))
    assert transport.closed
    return report


def test_this_machine() -> None:
    report = scan_one(parse("local"), SETTINGS)
    assert (report.agent, report.site, report.source) == ("edge", "lab", "local")
    assert (report.scope.target, report.scope.probe) == ("local:edge", "host")
    [observation] = content(report).observations
    assert observation.address is None
    assert observation.attributes["os_name"]
    assert observation.sections["os_name"] == "os"
    assert {component.class_ for component in observation.components} >= {"network_interface", "file_system"}
    assert statuses(report).keys() == {"scope", *(probe.name for probe in probes()), "applications"}
    assert {sample.ref for sample in report.samples} == {observation.ref}


def test_what_is_reported_is_what_the_wire_takes() -> None:
    report = scan_one(parse("local"), SETTINGS)
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_two_scans_differ_in_their_ids_alone() -> None:
    one, two = scan_one(parse("local"), SETTINGS), scan_one(parse("local"), SETTINGS)
    assert one.id != two.id
    assert one.scan.id != two.scan.id
    assert one.observed_at < two.observed_at
    first, second = content(one).observations[0], content(two).observations[0]
    assert first.identifiers == second.identifiers
    assert first.attributes == second.attributes


@needs_sshd
def test_a_host_over_ssh_is_the_same_host(server: Sshd) -> None:
    remote, local = scan_one(over_ssh(server), SETTINGS), scan_one(parse("local"), SETTINGS)
    assert remote.source == "ssh"
    assert remote.scope.target == f"127.0.0.1:{server.port}"
    [over], [here] = content(remote).observations, content(local).observations
    assert over.address == "127.0.0.1"
    for kind in ("machine_id", "name", "mac"):
        assert over.identifiers.get(kind) == here.identifiers.get(kind)
    assert over.attributes["os_name"] == here.attributes["os_name"]


@needs_sshd
def test_the_scan_itself_is_not_part_of_what_is_observed(server: Sshd) -> None:
    """Its connection comes from this machine, so that a claim would name the loopback address and sshd's port."""
    report = scan_one(over_ssh(server), SETTINGS)
    assert str(server.port).encode() not in b"".join(
        msgspec.json.encode(relation) for relation in content(report).observations[0].relations
    )


_TWO_SCANS = """
import sys
from cmdb_agent.scan import scan_one
from cmdb_agent.settings import Settings, SshAccess
from cmdb_agent.targets import parse
from tests import sshd

with sshd.running() as server:
    access = SshAccess(user=server.user, keys=(f"file:{server.key}",), known_hosts=(str(server.known_hosts),))
    for _ in range(2):
        print(bytes(scan_one(parse(server.url, access), Settings(agent="edge")).content).decode())
"""


@needs_sshd
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: the test makes namespaces of its own")
@pytest.mark.skipif(not NAMESPACES, reason="needs unshare and ip (Debian: util-linux, iproute2)")
def test_an_unchanged_host_gives_unchanged_bytes() -> None:
    """The host has processes, sockets and mounts of its own: nothing that others do on this machine is seen there."""
    own = ["unshare", "--net", "--pid", "--mount", "--uts", "--ipc", "--fork", "--mount-proc", "--kill-child"]
    command = [*own, "sh", "-c", 'ip link set lo up && exec "$0" -', sys.executable]
    done = subprocess.run(command, input=_TWO_SCANS, text=True, capture_output=True, check=False, cwd=ROOT, timeout=300)
    one, other = done.stdout.splitlines() or (done.stderr, "")
    assert one == other
    [host] = msgspec.json.decode(one, type=Content).observations
    assert host.components
    assert {relation.type for relation in host.relations} >= {"installs"}


@needs_sshd
def test_one_failing_host_is_a_line_and_stops_no_other(server: Sshd) -> None:
    closed = parse(f"ssh://127.0.0.1:{sshd.free_port()}")
    unknown = over_ssh(server, known_hosts=())
    reports = {
        report.scope.target + report.source: report for report in scan([closed, parse("local"), unknown], SETTINGS)
    }
    assert len(reports) == 3
    kinds = {
        report.scope.target: [error.kind for error in report.errors] for report in reports.values() if failed(report)
    }
    assert kinds == {closed.name: ["unreachable"], unknown.name: ["host-key"]}
    assert not failed(reports["local:edgelocal"])


def test_a_failed_scan_covers_nothing_and_observes_nothing() -> None:
    report = scan_one(parse(f"ssh://127.0.0.1:{sshd.free_port()}"), SETTINGS)
    assert content(report).observations == []
    assert set(statuses(report).values()) == {"failed"}
    assert statuses(report).keys() == statuses(scan_one(parse("local"), SETTINGS)).keys()
    [error] = report.errors
    assert (error.kind, error.target) == ("unreachable", report.scope.target)


@pytest.mark.parametrize(
    ("access", "kind"),
    [
        (SnmpAccess(), "auth"),
        (SnmpAccess(community="env:NOT_SET"), "credential"),
        (SnmpAccess(version="3"), "auth"),
    ],
)
def test_a_device_without_a_way_in(access: SnmpAccess, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    report = scan_one(parse("snmp://127.0.0.1:9", snmp=access), SETTINGS)
    assert (report.source, report.scope.probe) == ("snmp", "snmp")
    assert [error.kind for error in report.errors] == [kind]
    assert "if_mib" in {section.replace("-", "_") for section in statuses(report)}


def test_a_fault_of_ours_costs_one_host() -> None:
    def broken(_: str) -> Transcript:
        raise ZeroDivisionError("password=hunter2")

    report = canned(broken)
    assert failed(report)
    [error] = report.errors
    assert error.kind == "internal"
    assert error.message == "ZeroDivisionError: password=***"


def test_a_host_that_runs_no_script_says_what_it_said() -> None:
    said = "This account is currently not available.\n"
    [error] = canned(lambda _: Transcript(said, 1)).errors
    assert error.kind == "channel"
    assert "This account is currently not available." in error.message


def test_what_came_before_a_cut_counts_but_nothing_as_complete() -> None:
    """Without its end the script has not told with which rights it read."""

    def half(text: str) -> Transcript:
        whole = LocalTransport(Limits()).run(text).text
        return Transcript(whole[: whole.index(" begin listeners ")], -1, "timeout")

    report = canned(half)
    told = statuses(report)
    assert not failed(report)
    assert "complete" not in told.values()
    assert (told["identity"], told["os"]) == ("partial", "failed")
    assert [error.kind for error in report.errors if error.section is None] == ["timeout"]


def test_the_password_for_sudo_goes_into_the_script_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO", "hunter2")
    seen: list[str] = []

    def answer(text: str) -> Transcript:
        seen.append(text)
        return Transcript(text, 1)

    report = canned(answer, SshAccess(sudo="password", sudo_password="env:SUDO"))
    assert "hunter2" in seen[0]
    assert b"hunter2" not in msgspec.json.encode(report)


def test_no_more_at_a_time_than_allowed_and_none_after_the_stop() -> None:
    lock, now, most, begun = threading.Lock(), 0, 0, 0

    def slow(_: str) -> Transcript:
        nonlocal now, most, begun
        with lock:
            now, begun = now + 1, begun + 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return Transcript("", 1)

    targets = [parse(f"ssh://host{number}") for number in range(30)]
    reach = Reach(shell=lambda *_: Canned(slow))
    reports = list(scan(iter(targets), SETTINGS, lambda: begun >= 12, reach))
    assert most == 4
    assert 12 <= len(reports) < 20
    assert len({report.scope.target for report in reports}) == len(reports)


def test_applications_are_only_as_complete_as_what_they_were_drawn_from() -> None:
    def without_processes(text: str) -> Transcript:
        return Transcript(LocalTransport(Limits()).run(text).text.replace("end processes 0", "end processes 124"))

    assert statuses(canned(without_processes))["applications"] == "partial"


@needs_sshd
def test_a_swept_range_tells_who_answers_and_that_nobody_else_does(server: Sshd) -> None:
    target = over_ssh(server)
    swept = expand(f"ssh://{server.user}@127.0.0.0:{target.port}/29", target.ssh)
    reports = list(scan(swept, SETTINGS))
    assert sorted(report.scan.part for report in reports) == [1, 2, 3, 4, 5, 6]
    assert {(report.scan.parts, report.scope.target, report.scope.probe) for report in reports} == {
        (6, "127.0.0.0/29", f"host:{target.port}")
    }
    assert len({report.scan.id for report in reports}) == 1
    [answered] = [report for report in reports if not silent(report)]
    assert answered.scan.part == 1
    assert content(answered).observations[0].address == "127.0.0.1"
    assert statuses(answered)["scope"] == "complete"
    assert all(statuses(report) == {"scope": "complete"} for report in reports if report is not answered)
    assert not any(failed(report) for report in reports)


def test_a_range_in_which_nothing_answers_is_a_fault_of_the_way_there() -> None:
    reach = Reach(answers=lambda *_: False)
    reports = list(scan(expand("ssh://10.0.0.0/29", exclude=["10.0.0.3"]), SETTINGS, reach=reach))
    assert [statuses(report) for report in reports] == [{"scope": "failed"}] * 5
    assert [error.message for report in reports for error in report.errors] == ["nothing in 10.0.0.0/29 answered"]
    assert all(failed(report) for report in reports)


def test_one_that_answers_and_cannot_be_read_leaves_the_range_incomplete() -> None:
    def shell(target: Target, _: Limits) -> Canned:
        return Canned(lambda _: Transcript("This account is currently not available.", 1))

    reach = Reach(shell=shell, answers=lambda target, _: target.host == "10.0.0.2")
    reports = list(scan(expand("ssh://10.0.0.0/30"), SETTINGS, reach=reach))
    told = {report.scan.part: statuses(report)["scope"] for report in reports}
    assert told == {1: "complete", 2: "failed"}


def test_each_piece_of_a_range_with_exclusions_is_a_scan_of_its_own_scope() -> None:
    def shell(target: Target, _: Limits) -> Canned:
        return Canned(lambda _: Transcript("no shell", 1))

    reach = Reach(shell=shell, answers=lambda target, _: target.host == "10.0.0.1")
    reports = list(scan(expand("ssh://10.0.0.0/29", exclude=["10.0.0.3"]), SETTINGS, reach=reach))
    scans = {(report.scope.target, report.scan.id, report.scan.parts) for report in reports}
    assert sorted((target, parts) for target, _, parts in scans) == [
        ("10.0.0.0/31", 1),
        ("10.0.0.2/32", 1),
        ("10.0.0.4/30", 3),
    ]
    assert len({id_ for _, id_, _ in scans}) == 3


def test_a_silent_device_of_a_range_is_an_answer_and_a_named_device_is_known_by_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[SnmpTarget] = []

    def snmp(target: SnmpTarget, _: object) -> SnmpTransport:
        asked.append(target)
        raise TransportError(f"{target.host}: no answer", "timeout" if target.host != "10.0.0.2" else "auth")

    way = SnmpAccess(community="env:PUBLIC")
    monkeypatch.setenv("PUBLIC", "public")
    reach = Reach(snmp=snmp, resolve=lambda host: "192.0.2.7" if host == "switch" else host)
    reports = list(scan(expand("snmp://10.0.0.0/30", snmp=way), SETTINGS, reach=reach))
    assert {report.scan.part: statuses(report)["scope"] for report in reports} == {1: "complete", 2: "failed"}
    scan_one(parse("snmp://switch", snmp=way), SETTINGS, reach)
    assert asked[-1].host == "192.0.2.7"


SHOPD = r"""
product = "shopd"
class = "app_server"
names = ["shopd"]
[config]
files = ["/etc/shopd.conf"]
[[config.depends]]
pattern = '(?:backend) (?P<host>\S+) (?P<port>\d+)'
"""


def test_signatures_of_the_users_own_are_asked_for_and_recognised(tmp_path: Path) -> None:
    (tmp_path / "shopd.toml").write_text(SHOPD)
    asked: list[str] = []
    printed = {
        "processes": f"{12:7}{1:8}{0:6} {'root':32} {'-':64} {'shopd':16} /opt/shopd -f",
        "configuration": "@/etc/shopd.conf\n|backend db1 5432",
        "names": "10.0.0.7 db1",
    }

    def transcript(script: str) -> Transcript:
        asked.append(script)
        found = re.search(r"mark=(\w+)", script)
        assert found
        mark = found[1]
        return Transcript(
            "".join(f"\n{mark} begin {name} 0\n{text}\n{mark} end {name} 0\n" for name, text in printed.items())
        )

    reach = Reach(shell=lambda *_: Canned(transcript))
    report = scan_one(parse("local"), dataclasses.replace(SETTINGS, software=(str(tmp_path),)), reach)
    assert asked[0].count("/etc/shopd.conf") == 2, "by the probes of configuration and of names"
    [observation] = content(report).observations
    assert [one.class_ for one in observation.components if one.local_key == "shopd"] == ["app_server"]
    [needs] = [one for one in observation.relations if one.type == "depends_on"]
    assert (needs.from_.ref, needs.to.address, needs.to.port) == ("app_server:shopd", "10.0.0.7", 5432)


def test_profiles_of_the_users_own_read_a_device(tmp_path: Path) -> None:
    (tmp_path / "example.toml").write_text(
        'sysobjectid = ["1.3.6.1.4.1.99999"]\nclass = "switch"\nserial_number = [{ oid = "1.3.6.1.4.1.99999.1.4.0" }]\n'
    )
    rows = rows_of(["1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.7", "1.3.6.1.4.1.99999.1.4.0|4|SN-1"])
    reach = Reach(snmp=lambda *_: Recording(rows), resolve=lambda host: host)
    access = SnmpAccess(community="env:PATH")
    own = dataclasses.replace(SETTINGS, profiles=(str(tmp_path),))
    [device] = content(scan_one(parse("snmp://10.0.0.1", snmp=access), own, reach)).observations
    assert (device.class_, device.attributes["serial_number"]) == ("switch", "SN-1")
    missing = dataclasses.replace(SETTINGS, profiles=(str(tmp_path / "none"),))
    [error] = scan_one(parse("snmp://10.0.0.1", snmp=access), missing, reach).errors
    assert "no such folder" in error.message
