"""The command as a user runs it; the server is a real one on loopback that records what it is sent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_agent import cli
from tests import sshd
from tests.receiver import Receiver


@pytest.fixture
def server() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("CMDB_AGENT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CMDB_AGENT_SPOOL", str(tmp_path / "spool.sqlite"))
    monkeypatch.setenv("CMDB_AGENT_AGENT", "edge")
    monkeypatch.setenv("TOKEN", "s3cret")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """The exit code and what ``--json`` printed."""
    code = cli.main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_scan_delivers(capsys: pytest.CaptureFixture[str], server: Receiver) -> None:
    code, told = run(capsys, "scan", "local", "--server", server.url, "--token-ref", "env:TOKEN", "--site", "fra1")
    assert code == 0
    assert (told["delivered"], told["pending"], told["quarantined"]) == (1, 0, [])
    [target] = told["targets"]
    assert (target["target"], target["source"], target["failed"]) == ("local:edge", "local", False)
    [received] = server.received
    assert (received["id"], received["agent"], received["site"]) == (target["report"], "edge", "fra1")
    assert server.headers[0]["Authorization"] == "Bearer s3cret"


def test_a_target_that_fails_is_told_and_reported(capsys: pytest.CaptureFixture[str], server: Receiver) -> None:
    closed = f"ssh://127.0.0.1:{sshd.free_port()}"
    code, told = run(capsys, "scan", "local", closed, closed, "--server", server.url)
    assert code == 1
    assert {target["target"]: target["failed"] for target in told["targets"]} == {"local:edge": False, closed[6:]: True}
    assert told["delivered"] == 2, "a failed scan is a report, and a target named twice is one"


def test_a_server_that_is_down_leaves_the_report_for_flush(
    capsys: pytest.CaptureFixture[str], server: Receiver
) -> None:
    nowhere = f"http://127.0.0.1:{sshd.free_port()}"
    code, told = run(capsys, "scan", "local", "--server", nowhere, "--patience", "0.1")
    assert (code, told["delivered"], told["pending"]) == (3, 0, 1)
    code, waiting = run(capsys, "spool")
    assert (code, [entry["id"] for entry in waiting]) == (0, [told["targets"][0]["report"]])
    code, told = run(capsys, "flush", "--server", server.url)
    assert (code, told["delivered"], told["pending"]) == (0, 1, 0)
    assert [received["id"] for received in server.received] == [waiting[0]["id"]]


def test_a_refused_report_is_named_kept_and_released(capsys: pytest.CaptureFixture[str], server: Receiver) -> None:
    accept, server.reply = server.reply, lambda _: (422, {}, b'{"title": "Invalid report"}')
    code, told = run(capsys, "scan", "local", "--server", server.url)
    assert code == 1
    [refused] = told["quarantined"]
    assert (refused["target"], refused["reason"]) == ("local:edge", "422 Invalid report")
    assert [entry["id"] for entry in run(capsys, "spool", "quarantine")[1]] == [refused["report"]]
    server.reply = accept
    assert run(capsys, "spool", "release", refused["report"])[1] == {"released": 1}
    assert run(capsys, "flush", "--server", server.url)[1]["delivered"] == 1


def test_probe_prints_the_report_and_sends_nothing(
    capsys: pytest.CaptureFixture[str], server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CMDB_AGENT_SERVER", server.url)
    code, report = run(capsys, "probe", "local")
    assert (code, report["version"], report["scope"]["target"]) == (0, 1, "local:edge")
    assert cli.main(["probe", "local"]) == 0
    assert "coverage" in capsys.readouterr().out
    assert server.received == []
    assert run(capsys, "spool")[1] == []


def test_probe_of_a_host_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    code, report = run(capsys, "probe", f"ssh://127.0.0.1:{sshd.free_port()}")
    assert (code, report["errors"][0]["kind"]) == (1, "unreachable")


@pytest.mark.skipif(bool(sshd.MISSING), reason=sshd.MISSING)
def test_the_way_in_on_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with sshd.running() as host:
        way = ["--key", f"file:{host.key}", "--user", host.user]
        target = host.url.replace(f"{host.user}@", "")
        assert run(capsys, "probe", target, *way)[1]["errors"][0]["kind"] == "host-key"
        assert run(capsys, "probe", target, *way, "--known-hosts", str(host.known_hosts))[0] == 0
        enrolled = tmp_path / "enrolled"
        assert run(capsys, "probe", target, *way, "--enrol-host-keys", str(enrolled))[0] == 0
        assert enrolled.read_text() == host.known_hosts.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["scan", "local"], "no server"),
        (["scan", "local", "--server", "http://cmdb.example"], "use https"),
        (["scan", "telnet://x", "--server", "http://127.0.0.1:1"], "telnet://x"),
        (["scan", "ssh://a:hunter2@x", "--server", "http://127.0.0.1:1"], "no password in a target"),
        (["probe", "local", "--config", "/no/such/file"], "/no/such/file"),
        (["run", "--server", "http://127.0.0.1:1"], "no targets"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert cli.main(arguments) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "hunter2" not in told
    assert run(capsys, *arguments)[1]["error"]["message"]


def test_without_a_command_there_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_enrolling_keeps_the_token_for_its_owner_alone(
    capsys: pytest.CaptureFixture[str], server: Receiver, tmp_path: Path
) -> None:
    accept, server.reply = server.reply, lambda _: (201, {"Content-Type": "application/json"}, b'{"token": "cmdb_abc"}')
    code, told = run(capsys, "enrol", "--server", server.url, "--code", "one-time")
    assert (code, told) == (0, {"agent": "edge", "token": f"file:{tmp_path}/token"})
    assert (tmp_path / "token").read_text() == "cmdb_abc\n"
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    assert server.received == [{"code": "one-time", "agent": "edge"}]
    server.reply = accept
    assert run(capsys, "scan", "local", "--server", server.url)[0] == 0
    assert run(capsys, "scan", "local", "--server", server.url, "--token-ref", "env:TOKEN")[0] == 0
    assert [sent.get("Authorization") for sent in server.headers[1:]] == ["Bearer cmdb_abc", "Bearer s3cret"]


def test_a_code_that_is_refused(capsys: pytest.CaptureFixture[str], server: Receiver, tmp_path: Path) -> None:
    server.reply = lambda _: (403, {}, b"{}")
    assert run(capsys, "enrol", "--server", server.url, "--code", "used")[0] == 1
    assert not (tmp_path / "token").exists()


def test_run_scans_on_schedule_and_ends_cleanly_on_sigterm(server: Receiver, tmp_path: Path) -> None:
    settings = tmp_path / "agent.toml"
    settings.write_text(f'server = "{server.url}"\n[[targets]]\naddress = "local"\nevery = "1s"\n')
    command = [sys.executable, "-m", "cmdb_agent.cli", "run", "--config", str(settings)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120
        while len(server.acknowledged) < 2 and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    events = [json.loads(line) for line in log.splitlines()]
    assert len(server.acknowledged) >= 2
    assert len(set(server.acknowledged)) == len(server.acknowledged)
    assert events[0]["event"] == "scanned"
    assert events[-1]["event"] == "stopped"
    # A scan that was under way is ended and spooled, and waits for the next start.
    assert process.returncode == (3 if events[-1]["pending"] else 0), log


def test_targets_may_stand_in_a_file(capsys: pytest.CaptureFixture[str], server: Receiver, tmp_path: Path) -> None:
    closed = f"ssh://127.0.0.1:{sshd.free_port()}"
    hosts = tmp_path / "hosts.txt"
    hosts.write_text(f"# the office\n{closed}\n\n  {closed} # again\nssh://nobody.invalid\n")
    code, told = run(capsys, "scan", f"@{hosts}", "--server", server.url)
    assert code == 1
    assert sorted(target["target"] for target in told["targets"]) == [closed[6:], "nobody.invalid"]
    assert cli.main(["scan", f"@{tmp_path}/none", "--server", server.url]) == 2
    assert "@" in capsys.readouterr().err


def test_a_swept_range_lists_who_answered_and_reports_the_rest(
    capsys: pytest.CaptureFixture[str], server: Receiver
) -> None:
    nobody = f"ssh://127.0.0.0:{sshd.free_port()}/30"
    code, told = run(capsys, "scan", nobody, "--server", server.url)
    assert (code, told["delivered"]) == (1, 2)
    assert [error["message"] for target in told["targets"] for error in target["errors"]] == [
        "nothing in 127.0.0.0/30 answered"
    ]
    assert cli.main(["probe", "ssh://127.0.0.0/30"]) == 2
