"""Probes become one POSIX script; what it prints becomes facts. Pure: running the script is a transport's work.

The script runs every probe's first applicable variant in a section of its own between lines that begin with a random
marker. It asks sudo once what is allowed and uses it for nothing else, because a host logs each refusal.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cmdb_agent.observation import Coverage, CoverageStatus, Fact, Output, ScanError
from cmdb_agent.own_session import OwnSession
from cmdb_agent.probe import Probe, Variant

SECTION_LIMIT = 4 * 1024 * 1024
"""Bytes of one section; what is longer is cut off and the section ``truncated``."""
SESSION = "own-session"
"""The section in which the script tells who runs it and from where."""
CUT_OFF = 124
"""The exit code that ``timeout`` gives to a command it ended, and of a section that never ended."""

_TIMEOUT_CODES = frozenset({CUT_OFF, 137, 143})

# A name server that does not answer must not cost a section its time.
_PROLOGUE = """\
LC_ALL=C; LANG=C; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/xpg4/bin
RES_OPTIONS='timeout:2 attempts:1'
export LC_ALL LANG PATH RES_OPTIONS; unset CDPATH ENV BASH_ENV; umask 077
mark={marker}; word={word}; tag={tag}
exec 4>&1
limit=
if timeout -k 2 9 true </dev/null >/dev/null 2>&1; then limit='timeout -k 2 {seconds}'
elif timeout 9 true </dev/null >/dev/null 2>&1; then limit='timeout {seconds}'
elif timeout -t 9 true </dev/null >/dev/null 2>&1; then limit='timeout -t {seconds}'; fi
cap=cat
if (printf x | head -c 1) >/dev/null 2>&1; then cap='head -c {cap}'; fi
uid=`id -u 2>/dev/null`
allowed=
if [ "$uid" != 0 ] && [ {sudo} = 1 ] && command -v sudo >/dev/null 2>&1; then
  allowed=`{feed} {sudo_command} -l 2>/dev/null | {grants} | tr '\\n' ','`
fi
partial=
may() {{
  [ "$uid" = 0 ] && return 0
  case "$allowed" in *"$tag ALL,"*|*[:,\\)]" $1,"*) return 0;; esac
  return 1
}}
plain() {{ $limit sh -c "$1" </dev/null; }}
elevate() {{
  if [ "$uid" = 0 ]; then plain "$1"; else {feed} $limit sh -c "{sudo_command} $1"; fi
}}
section() {{
  printf '\\n%s begin %s %s\\n' "$mark" "$1" "$2"
  code=`{{ {{ "$3" "$4" 2>/dev/null 3>&- 4>&-; echo $? >&3; }} | $cap >&4; }} 3>&1`
  printf '\\n%s end %s %s\\n' "$mark" "$1" "${{code:-1}}"
}}
absent() {{
  printf '\\n%s begin %s -1\\n\\n%s end %s 0\\n' "$mark" "$1" "$mark" "$1"
}}
"""
_EPILOGUE = """\
printf '\\n%s begin {session} 0\\n' "$mark"
printf 'ssh=%s\\nuid=%s\\npids=%s %s\\npartial=%s\\n' "$SSH_CONNECTION" "$uid" "$$" "$PPID" "$partial"
printf '\\n%s end {session} 0\\n' "$mark"
"""


class Reading(NamedTuple):
    """What one host's script told: facts by section, how much of each section was read, and what went wrong."""

    facts: dict[str, list[Fact]]
    coverage: list[Coverage]
    errors: list[ScanError]


def build(
    probes: Sequence[Probe], *, marker: str, sudo: bool = True, limit_s: int = 15, sudo_password: str | None = None
) -> str:
    """The script for ``sh -s``.

    ``marker`` is a random word of letters and digits, ``limit_s`` the seconds each command may take. With
    ``sudo_password`` the script holds that password: it must travel on stdin, never as an argument.
    """
    if not re.fullmatch(r"[A-Za-z0-9]{8,64}", marker):
        raise ValueError("a marker is 8 to 64 letters and digits")
    words = {
        name: shlex.quote(word) if name in ("word", "tag") else word
        for name, word in _sudo_words(sudo_password).items()
    }
    prologue = _PROLOGUE.format(marker=marker, seconds=int(limit_s), cap=SECTION_LIMIT + 1, sudo=int(sudo), **words)
    body = "".join(_probe_lines(probe) for probe in probes)
    return f"main() {{\n{prologue}{body}{_EPILOGUE.format(session=SESSION)}}}\nmain\n"


def _sudo_words(password: str | None) -> dict[str, str]:
    """How sudo is asked: never with a prompt; a password goes by a pipe from the shell's own printf."""
    if password is None:
        return {
            "word": "", "tag": "NOPASSWD:", "feed": "</dev/null", "sudo_command": "sudo -n",
            "grants": "grep -E '^ *[(](root|ALL)[ :)].*NOPASSWD:'",
        }  # fmt: skip
    return {
        "word": password, "tag": ")", "feed": """printf '%s\\n' "$word" |""", "sudo_command": "sudo -S -p ''",
        "grants": "grep -E '^ *[(](root|ALL)[ :)]'",
    }  # fmt: skip


def _probe_lines(probe: Probe) -> str:
    """An if-elif chain over the variants: the first whose test succeeds, and whose rights are there, runs."""
    lines = []
    for index, variant in enumerate(probe.variants):
        lines.append(f"{'if' if index == 0 else 'elif'} {_condition(variant)}; then\n")
        lines.append(_choice(probe.name, index, variant))
    return "".join(lines) + f"else absent {probe.name}; fi\n"


def _condition(variant: Variant) -> str:
    test = f"( {variant.when} ) </dev/null >/dev/null 2>&1"
    if variant.sudo and not variant.partial_without_sudo:
        return f"may {shlex.quote(variant.command)} && {test}"
    return test


def _choice(name: str, index: int, variant: Variant) -> str:
    command = shlex.quote(variant.command)
    plain = f"  section {name} {index} plain {command}\n"
    elevated = f"  section {name} {index} elevate {command}\n"
    if not variant.partial_without_sudo:
        return elevated if variant.sudo else plain
    note = f'  [ "$uid" = 0 ] || partial="$partial {name}"\n'
    if not variant.sudo:
        return plain + note
    return f"  if may {command}; then\n  {elevated}  else\n  {plain}  {note}  fi\n"


def read_sections(text: str, marker: str) -> list[Output]:
    """The sections of what the script printed, in their order. One that never ended counts as cut off."""
    outputs: list[Output] = []
    for piece in text.split(f"\n{marker} begin ")[1:]:
        head, _, rest = piece.partition("\n")
        name, _, variant = head.partition(" ")
        body, ended, tail = rest.partition(f"\n{marker} end {name} ")
        code = tail.partition("\n")[0].strip() if ended else ""
        outputs.append(_output(name, variant, code, body))
    return outputs


def _output(name: str, variant: str, code: str, body: str) -> Output:
    truncated = len(body) > SECTION_LIMIT // 4 and len(body.encode(errors="replace")) > SECTION_LIMIT
    return Output(
        section=name,
        variant=int(variant) if re.fullmatch(r"-?\d+", variant) else -1,
        code=int(code) if code.isdecimal() else CUT_OFF,
        text=body.replace("\0", " "),
        truncated=truncated,
    )


def own_session(outputs: Iterable[Output]) -> OwnSession:
    """Whose session the script ran in; all empty when the script did not get that far."""
    return OwnSession.parse(next((output.text for output in outputs if output.section == SESSION), ""))


def facts(probes: Sequence[Probe], outputs: Sequence[Output]) -> Reading:
    """Facts by section, with the coverage of every probe and an error line for each that could not be read.

    A parser that raises makes its section ``undecodable`` and stops nothing else.
    """
    session = own_session(outputs)
    by_section = {output.section: output for output in outputs}
    reading = Reading({}, [], [])
    for probe in probes:
        _read_probe(probe, by_section.get(probe.name), session, reading)
    return reading


def _read_probe(probe: Probe, output: Output | None, session: OwnSession, reading: Reading) -> None:
    if output is None:
        reading.coverage.append(Coverage(probe.name, "failed", "the script ended before it"))
        return
    if not 0 <= output.variant < len(probe.variants):
        reading.coverage.append(Coverage(probe.name, "unsupported"))
        return
    variant = probe.variants[output.variant]
    status, detail = _status(output, variant, probe.name in session.partial)
    try:
        found = list(variant.parse(output.text))
    except Exception as problem:  # noqa: BLE001 - whatever a host prints, the other sections are still read
        status, detail, found = "undecodable", f"{type(problem).__name__}: {problem}"[:500], []
    if status in ("failed", "undecodable", "timeout"):
        reading.errors.append(ScanError(kind=status, message=detail or status, section=probe.name))
    reading.facts[probe.name] = found
    reading.coverage.append(Coverage(probe.name, status, detail))


def _status(output: Output, variant: Variant, partial: bool) -> tuple[CoverageStatus, str]:
    if output.code in _TIMEOUT_CODES and output.code not in variant.codes:
        return "timeout", "the command was ended at its time limit"
    if output.truncated:
        return "truncated", f"more than {SECTION_LIMIT} bytes"
    if output.code not in variant.codes:
        told = "partial" if output.text.strip() else "failed"
        return ("partial" if told == "partial" else "failed"), f"exit code {output.code}"
    if partial:
        return "partial", "read without the rights to see everything"
    return "complete", ""
