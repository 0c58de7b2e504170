"""What runs: every process but the kernel's own threads, with its command line freed of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cmdb_agent.command_lines import redact_command
from cmdb_agent.observation import Process
from cmdb_agent.probe import Probe, Variant

_KTHREADD = 2
_WITH_UNIT = re.compile(r"\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(.{16}) (.*)")
_WITHOUT_UNIT = re.compile(r"\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+()(.{16}) (.*)")
_POSIX = re.compile(r"\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+()(\S+)\s+(.*)")
_CONTAINER = re.compile(r"(?:docker|crio|cri-containerd|libpod)[-/]([0-9a-f]{64})")
_FIELD = "\x1f"
_OWN_FIELD = re.compile(r"^(Name|PPid|Uid):\s*(.*)$", re.MULTILINE)


def _process(
    pid: int, parent: int, uid: int, user: str, unit: str, name: str, command: str | tuple[str, ...]
) -> Iterator[Process]:
    """``command`` as one text (``ps`` joins its words) or as its words. One that has ended, and waits for its parent to
    be told so, runs no more."""
    joined = isinstance(command, str)
    words = tuple(command.split()) if isinstance(command, str) else command
    if words and words[-1] == "<defunct>":
        return
    if pid == _KTHREADD or parent == _KTHREADD or not words or (parent == 0 and words[0].startswith("[")):
        return
    unit = "" if unit == "-" else unit
    found = _CONTAINER.search(unit)
    executable = words[0] if words[0].startswith("/") else ""
    yield Process(
        pid=pid, name=name.strip().rstrip(":").lstrip("-"), command=redact_command(words, joined), user=user, parent=parent,
        executable=executable.rstrip(":"), unit="" if found else unit, container=found[1] if found else "", uid=uid,
    )  # fmt: skip


def _parse_rows(text: str, row: re.Pattern[str]) -> Iterator[Process]:
    for line in text.splitlines():
        found = row.match(line)
        if found:
            pid, parent, uid, user, unit, name, command = found.groups()
            yield from _process(int(pid), int(parent), int(uid), user, unit or "", name.rsplit("/", 1)[-1], command)


def parse_with_unit(text: str) -> Iterator[Process]:
    """``ps -eo pid=,ppid=,uid=,user:32=,unit:64=,comm:16=,args=``."""
    return _parse_rows(text, _WITH_UNIT)


def parse_without_unit(text: str) -> Iterator[Process]:
    """``ps -eo pid=,ppid=,uid=,user:32=,comm:16=,args=``."""
    return _parse_rows(text, _WITHOUT_UNIT)


def parse_posix(text: str) -> Iterator[Process]:
    """``ps -A -o pid= -o ppid= -o uid= -o user= -o comm= -o args=``: a name ends at its first blank."""
    return _parse_rows(text, _POSIX)


def parse_ef(text: str) -> Iterator[Process]:
    """``ps -ef`` (HP-UX, BusyBox with these columns, old Solaris): UID PID PPID C STIME TTY TIME CMD."""
    for line in text.splitlines():
        words = line.split()
        if len(words) < 8 or not (words[1].isdecimal() and words[2].isdecimal()):
            continue
        clock = next(
            (index for index, word in enumerate(words[6:], 6) if re.fullmatch(r"(?:\d+-)?\d+:\d\d(?:[:.]\d\d)?", word)),
            6,
        )
        command = words[clock + 1 :]
        if command:
            name = command[0].rsplit("/", 1)[-1]
            yield from _process(int(words[1]), int(words[2]), -1, words[0], "", name, " ".join(command))


def parse_aux(text: str) -> Iterator[Process]:
    """``ps axu``: USER PID … START TIME COMMAND; who is whose parent is not told."""
    for line in text.splitlines():
        words = line.split(None, 10)
        if len(words) == 11 and words[1].isdecimal() and not words[10].startswith("["):
            name = words[10].split()[0].rsplit("/", 1)[-1]
            yield from _process(int(words[1]), 0, -1, words[0], "", name, words[10])


def parse_busybox(text: str) -> Iterator[Process]:
    """BusyBox ``ps``: PID USER [VSZ STAT|TIME] COMMAND."""
    for line in text.splitlines():
        found = re.match(r"\s*(\d+)\s+(\S+)\s+(?:\d+[mg]?\s+[A-Z][A-Z<>+ ]{0,3}\s+|\d+:\d\d\s+)?(\S.*)", line)
        if found and not found[3].startswith(("[", "{")):
            name = found[3].split()[0].rsplit("/", 1)[-1]
            yield from _process(int(found[1]), 0, -1, found[2], "", name, found[3])


def parse_proc(text: str) -> Iterator[Process]:
    """One block a process, begun by ``@pid``: name, parent and owner from ``status``, then ``cmdline`` with its words
    parted by the unit separator."""
    for block in text.split("\n@")[1:]:
        pid, _, rest = block.partition("\n")
        status, _, command = rest.partition("\n=")
        told = dict(_OWN_FIELD.findall(status))
        words = tuple(word for word in command.strip("\n").split(_FIELD) if word)
        if pid.isdecimal() and "Name" in told:
            uid = int(told.get("Uid", "-1").split()[0])
            parent = int(told.get("PPid", "0"))
            yield from _process(int(pid), parent, uid, str(uid), "", told["Name"], words)


_PROC_COMMAND = r"""\
for d in /proc/[0-9]*; do
  [ -r $d/status ] || continue
  echo; echo "@${d#/proc/}"
  while read -r line; do case "$line" in Name:*|PPid:*|Uid:*) printf '%s\n' "$line";; esac; done < $d/status
  printf =; tr '\000\012' '\037 ' < $d/cmdline
done 2>/dev/null
:"""

PROBE = Probe(
    "processes",
    (
        Variant(
            "ps -ww -eo pid=,ppid=,uid=,user:32=,unit:64=,comm:16=,args=",
            parse_with_unit,
            when="ps -o unit:64=,comm:16= -p $$",
        ),
        Variant(
            "ps -ww -eo pid=,ppid=,uid=,user:32=,comm:16=,args=",
            parse_without_unit,
            when="ps -o user:32=,comm:16= -p $$",
        ),
        Variant(_PROC_COMMAND, parse_proc, when="[ -r /proc/self/status ]"),
        Variant(
            "ps -A -o pid= -o ppid= -o uid= -o user= -o comm= -o args=",
            parse_posix,
            when="ps -A -o pid= -o ppid= -o uid= -o user= -o comm= -o args=",
        ),
        Variant("ps -ef", parse_ef, when="ps -ef"),
        Variant("ps axuww", parse_aux, when="ps axuww"),
        Variant("ps", parse_busybox, when="command -v ps"),
    ),
)
