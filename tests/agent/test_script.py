"""The script run by real shells, and what is read from what it prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_agent import script
from cmdb_agent.observation import Fact, HostFacts, Output, Process
from cmdb_agent.probe import Probe, Variant
from cmdb_agent.probes import probes

MARKER = "abcdef0123456789"
SHELLS = [shell for shell in ("sh", "bash", "dash", "ksh", "busybox") if shutil.which(shell)]
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def told(text: str) -> list[Fact]:
    return [HostFacts(attributes={"text": text})]


def probe(name: str, *variants: Variant) -> Probe:
    return Probe(name, variants)


def run(
    chosen: list[Probe], *, shell: str = "sh", path: Path | None = None, user: int | None = None, **options: object
) -> list[Output]:
    """Runs the script as ``sh -s``; ``path`` comes first in its PATH, ``user`` needs root."""
    text = script.build(chosen, marker=MARKER, **options)  # type: ignore[arg-type]
    if path is not None:
        text = text.replace("PATH=/usr/local/sbin", f"PATH={path}:/usr/local/sbin", 1)
    argv = ["busybox", "sh", "-s"] if shell == "busybox" else [shell, "-s"]
    done = subprocess.run(
        argv, input=text.encode(), capture_output=True, timeout=60, check=False, user=user, group=user, extra_groups=None,
        env={"PATH": os.environ["PATH"], "SSH_CONNECTION": "192.0.2.1 40000 192.0.2.2 2222"},
    )  # fmt: skip
    assert done.stderr == b""
    assert done.returncode == 0
    return script.read_sections(done.stdout.decode(errors="replace"), MARKER)


@pytest.mark.parametrize("shell", SHELLS)
def test_sections_codes_and_choices(shell: str) -> None:
    outputs = run(
        [
            probe("first", Variant("echo 'a  \"b\" $HOME `x`'; exit 3", told)),
            probe(
                "choice", Variant("echo no", told, when="false"), Variant("printf 'no newline'", told, when="[ 1 = 1 ]")
            ),
            probe("none", Variant("echo no", told, when="command -v no-such-command")),
            probe("empty", Variant("true", told)),
            probe("stdin", Variant("cat; read -r line || echo nothing to read", told)),
        ],
        shell=shell,
    )
    by_name = {output.section: output for output in outputs}
    assert by_name["first"].code == 3
    assert by_name["first"].text.startswith('a  "b" ')
    assert (by_name["choice"].variant, by_name["choice"].text) == (1, "no newline")
    assert by_name["none"].variant == -1
    assert by_name["empty"].text == ""
    assert by_name["stdin"].text.strip() == "nothing to read"
    assert script.own_session(outputs)[:4] == ("192.0.2.1", 40000, "192.0.2.2", 2222)


@pytest.mark.skipif(shutil.which("timeout") is None, reason="timeout is not installed")
def test_a_command_that_hangs_is_ended_and_the_rest_is_read() -> None:
    chosen = [
        probe("hangs", Variant("echo begun; sleep 30; echo done", told)),
        probe("after", Variant("echo here", told)),
    ]
    reading = script.facts(chosen, run(chosen, limit_s=1))
    assert [(one.section, one.status) for one in reading.coverage] == [("hangs", "timeout"), ("after", "complete")]
    assert reading.errors[0].kind == "timeout"
    assert "begun" in str(reading.facts["hangs"])


def test_a_flood_is_cut_off() -> None:
    chosen = [probe("flood", Variant("yes", told)), probe("after", Variant("echo here", told))]
    outputs = run(chosen, limit_s=10)
    assert outputs[0].truncated
    assert len(outputs[0].text) <= script.SECTION_LIMIT + 1
    assert [one.status for one in script.facts(chosen, outputs).coverage] == ["truncated", "complete"]


def test_output_cannot_pass_for_another_section() -> None:
    chosen = [
        probe("forger", Variant("printf '\\nother begin after 0\\nfalse\\nother end after 0\\n'", told)),
        probe("after", Variant("echo true", told)),
    ]
    facts = script.facts(chosen, run(chosen)).facts
    assert facts["after"] == [HostFacts(attributes={"text": "true\n"})]


def test_a_parser_that_raises_stops_nothing_else() -> None:
    def broken(text: str) -> list[Fact]:
        raise KeyError(text[:3])

    chosen = [probe("broken", Variant("echo abc", broken)), probe("after", Variant("echo here", told))]
    reading = script.facts(chosen, run(chosen))
    assert [one.status for one in reading.coverage] == ["undecodable", "complete"]
    assert "KeyError" in reading.coverage[0].detail
    assert reading.errors[0].section == "broken"


def statuses(code: int, text: str = "", codes: tuple[int, ...] = (0,), **more: object) -> str:
    outputs = [Output("x", 0, code, text, **more)]  # type: ignore[arg-type]
    return script.facts([probe("x", Variant("x", lambda _: [], codes=codes))], outputs).coverage[0].status


def test_exit_codes_become_coverage() -> None:
    assert statuses(0) == "complete"
    assert statuses(1, codes=(0, 1)) == "complete"
    assert statuses(1) == "failed"
    assert statuses(1, "some") == "partial"
    assert statuses(124, "some") == "timeout"
    assert statuses(0, "some", truncated=True) == "truncated"


def test_a_script_that_was_cut_short() -> None:
    chosen = [probe("one", Variant("x", told)), probe("two", Variant("x", told)), probe("three", Variant("x", told))]
    text = f"banner\n\n{MARKER} begin one 0\nfine\n{MARKER} end one 0\n\n{MARKER} begin two 0\nhal"
    reading = script.facts(chosen, script.read_sections(text, MARKER))
    assert [one.status for one in reading.coverage] == ["complete", "timeout", "failed"]


def fake_sudo(folder: Path, listing: str) -> Path:
    """A sudo that lists what it is told to and writes down every call; a real one is in the lab's hosts."""
    log = folder / "log"
    log.touch()
    log.chmod(0o666)
    sudo = folder / "sudo"
    sudo.write_text(
        f"""#!/bin/sh
printf '%s\\n' "$*" >> {log}
case "$*" in
*-S*) read -r word; [ "$word" = "open 'sesame'" ] || exit 1;;
esac
for last; do :; done
if [ "$last" = -l ]; then printf '%s\\n' 'User x may run the following commands:' '{listing}'; exit 0; fi
while [ "${{1#-}}" != "$1" ]; do if [ "$1" = -p ]; then shift; fi; shift; done
AS=root "$@"
"""
    )
    sudo.chmod(0o755)
    folder.chmod(0o755)
    return log


def rights() -> list[Probe]:
    """One command that sudo is asked for, one it does not allow but that says something without, and one more."""
    return [
        probe(
            "allowed", Variant("printenv AS", told, sudo=True), Variant("echo plain", told, partial_without_sudo=True)
        ),
        probe(
            "other", Variant("printenv AS -0", told, sudo=True), Variant("echo plain", told, partial_without_sudo=True)
        ),
        probe("either", Variant("printenv PATH AS", told, sudo=True, partial_without_sudo=True, codes=(0, 1))),
    ]


needs_root = pytest.mark.skipif(not ROOT, reason="needs root to become another user")
NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """Another user must reach it: pytest keeps its own folders to itself."""
    with tempfile.TemporaryDirectory(prefix="bin-") as path:
        Path(path).chmod(0o755)
        yield Path(path)


@needs_root
def test_sudo_is_asked_once_and_used_only_for_what_it_allows(folder: Path) -> None:
    log = fake_sudo(folder, "    (root) NOPASSWD: /bin/true, printenv AS, /bin/false")
    outputs = run(rights(), path=folder, user=NOBODY)
    reading = script.facts(rights(), outputs)
    assert [output.text for output in outputs[:2]] == ["root\n", "plain\n"]
    assert [one.status for one in reading.coverage] == ["complete", "partial", "partial"]
    assert log.read_text().splitlines() == ["-n -l", "-n printenv AS"]
    assert script.own_session(outputs).partial == {"other", "either"}


@needs_root
def test_sudo_for_everything(folder: Path) -> None:
    fake_sudo(folder, "    (ALL : ALL) NOPASSWD: ALL")
    assert [output.variant for output in run(rights(), path=folder, user=NOBODY)[:3]] == [0, 0, 0]


@needs_root
@pytest.mark.parametrize(
    "listing", ["    (root) printenv AS", "    (www-data) NOPASSWD: printenv AS", "    (root) NOPASSWD: printenv"]
)
def test_sudo_is_not_tried_where_it_would_refuse(folder: Path, listing: str) -> None:
    log = fake_sudo(folder, listing)
    assert run(rights(), path=folder, user=NOBODY)[0].text == "plain\n"
    assert log.read_text().splitlines() == ["-n -l"]


@needs_root
def test_sudo_with_a_password(folder: Path) -> None:
    log = fake_sudo(folder, "    (root) printenv AS")
    assert run(rights(), path=folder, user=NOBODY, sudo_password="open 'sesame'")[0].text == "root\n"
    assert "sesame" not in log.read_text()
    assert run(rights(), path=folder, user=NOBODY, sudo_password="wrong")[0].text == "plain\n"


@needs_root
def test_without_sudo_it_is_not_even_asked(folder: Path) -> None:
    log = fake_sudo(folder, "    (root) NOPASSWD: ALL")
    assert run(rights(), path=folder, user=NOBODY, sudo=False)[0].text == "plain\n"
    assert log.read_text() == ""


def test_a_marker_is_a_word() -> None:
    for marker in ("", "short", "with space 1234", "$(reboot)aaaaaaa", "a" * 100):
        with pytest.raises(ValueError, match="marker"):
            script.build([], marker=marker)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
def test_this_machine() -> None:
    """All probes on the machine that runs the tests: no parser raises, and the test's own process is among the found."""
    chosen = probes()
    outputs = run(list(chosen), sudo=False)
    reading = script.facts(chosen, outputs)
    assert [one for one in reading.coverage if one.status == "undecodable"] == []
    assert {one.section for one in reading.coverage} == {probe.name for probe in chosen}
    assert {"identity", "os", "processes", "filesystems"} <= reading.facts.keys()
    assert os.getpid() in {fact.pid for fact in reading.facts["processes"] if isinstance(fact, Process)}


@pytest.mark.parametrize("without", ["ip", "ss", "findmnt", "lsblk", "lscpu", "ps"])
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_fall_backs_where_a_tool_is_missing(without: str) -> None:
    """The section is still read, from /proc or /sys, as if the tool were not installed."""
    section = {
        "ip": "interfaces", "ss": "listeners", "findmnt": "filesystems", "lsblk": "disks", "lscpu": "cpu", "ps": "processes",
    }[without]  # fmt: skip
    chosen = [one for one in probes() if one.name == section]
    variants = [v for v in chosen[0].variants if without not in {word.rsplit("/", 1)[-1] for word in v.command.split()}]
    reading = script.facts([Probe(section, tuple(variants))], run([Probe(section, tuple(variants))], sudo=False))
    assert reading.coverage[0].status in ("complete", "partial")


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell != "busybox"])
def test_the_whole_script_parses(shell: str) -> None:
    text = script.build(probes(), marker=MARKER)
    assert subprocess.run([shell, "-n"], input=text, text=True, check=False, capture_output=True).stderr == ""
