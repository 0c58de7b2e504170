"""The script is really run, by this machine's own shell."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cmdb_agent import transports
from cmdb_agent.errors import MissingExtra
from cmdb_agent.observation import Transcript
from cmdb_agent.settings import DEFAULT_LIMITS, Limits
from cmdb_agent.targets import parse
from cmdb_agent.transports.local import LocalTransport

SHORT = Limits(script_s=1, output_bytes=100_000)


def run(script: str, limits: Limits = DEFAULT_LIMITS) -> Transcript:
    return LocalTransport(limits).run(script)


def own(seconds: int) -> str:
    """A length of sleep that only this process asks for."""
    return f"{seconds}.{os.getpid()}"


def running(seconds: str) -> bool:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if file.read_bytes() == f"sleep\0{seconds}\0".encode():
                return True
        except OSError:
            continue
    return False


def ended(seconds: str) -> bool:
    deadline = time.monotonic() + 10
    while running(seconds) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not running(seconds)


def test_gives_output_errors_and_exit_code() -> None:
    assert run("echo out; echo err >&2; exit 3") == Transcript("out\n", 3, "", "err")


def test_a_large_script_and_a_large_output_do_not_wait_for_each_other() -> None:
    transcript = run(("echo " + "x" * 200 + "\n") * 20_000)
    assert (len(transcript.text), transcript.cut) == (20_000 * 201, "")


def test_a_flood_of_errors_does_not_block_the_output() -> None:
    assert run("head -c 8000000 /dev/zero >&2; echo done").text == "done\n"


def test_a_hanging_script_is_cut_and_all_it_started_is_ended() -> None:
    script = f"echo before; setsid() {{ :; }}; timeout 300 sleep {own(91)} & sleep {own(92)}; echo after"
    transcript = run(script, SHORT)
    assert (transcript.text, transcript.cut, transcript.code) == ("before\n", "timeout", -1)
    assert ended(own(91)), "a command under timeout has a process group of its own"
    assert ended(own(92))


def test_a_script_that_closes_its_output_and_goes_on_is_cut() -> None:
    transcript = run(f"echo before; exec >&- 2>&-; sleep {own(93)}", SHORT)
    assert (transcript.text, transcript.cut) == ("before\n", "timeout")
    assert ended(own(93))


def test_output_without_end_is_cut_and_what_came_is_kept() -> None:
    transcript = run("exec yes", SHORT)
    assert (transcript.cut, len(transcript.text)) == ("too-large", 100_000)


def test_something_left_in_the_background_does_not_hold_the_scan() -> None:
    transcript = run(f"echo out; sleep {own(94)} & exit 0", Limits(script_s=30))
    assert (transcript.text, transcript.code, transcript.cut) == ("out\n", 0, "")
    assert ended(own(94))


def test_the_script_sees_nothing_of_the_agents_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMDB_TOKEN", "s3cret")
    assert "s3cret" not in run("env").text


def test_open_shell_chooses_by_target() -> None:
    assert isinstance(transports.open_shell(parse("local"), DEFAULT_LIMITS), LocalTransport)
    assert type(transports.open_shell(parse("ssh://h"), DEFAULT_LIMITS)).__name__ == "SshTransport"


def test_without_the_extra_its_installation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "paramiko", None)
    for name in ("ssh", "login"):
        monkeypatch.delitem(sys.modules, f"cmdb_agent.transports.{name}", raising=False)
    with pytest.raises(MissingExtra, match=r"pip install 'cmdb-agent\[ssh\]'"):
        transports.open_shell(parse("ssh://h"), DEFAULT_LIMITS)
