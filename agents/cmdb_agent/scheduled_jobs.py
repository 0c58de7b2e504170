"""Cron's tables read as jobs. A job is there although none of its processes runs most of the time, so it is known by
what the table names, not by what is seen running."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cmdb_agent.command_lines import redact_shell
from cmdb_agent.observation import ConfigFile

_ENTRY = re.compile(r"\s*(?P<when>@\w+|(?:[-\d*/,A-Za-z?L#]+[ \t]+){5})\s*(?P<rest>\S.*)")
_SYSTEM_TABLES = ("/etc/crontab", "/etc/cron.d/")
_USER_TABLES = ("/var/spool/cron/", "/var/cron/tabs/")
_PERIODIC = re.compile(r"/etc/cron\.(hourly|daily|weekly|monthly)/([^/]+)$")
_WRAPPERS = frozenset(
    [
        "nice",
        "ionice",
        "flock",
        "timeout",
        "env",
        "exec",
        "sudo",
        "su",
        "setpriv",
        "chronic",
        "time",
        "test",
        "cd",
        "if",
        "then",
        "command",
        "nohup",
        "bash",
        "sh",
        "dash",
        "run-parts",
    ]
)


@dataclass(frozen=True, slots=True)
class Job:
    """One line of a table: what it is called, when and as whom it runs, where it is written, and all the text that
    tells what it does (the line and the scripts it names)."""

    name: str
    schedule: str
    user: str
    command: str
    path: str
    texts: tuple[str, ...]


def scheduled_jobs(configs: Sequence[ConfigFile]) -> Iterator[Job]:
    """The jobs of all tables among the files; the scripts are found among them too."""
    scripts = {config.path: config.text for config in configs}
    for config in configs:
        if periodic := _PERIODIC.match(config.path):
            yield Job(periodic[2], f"@{periodic[1]}", "root", config.path, config.path, (config.text,))
        elif config.path.startswith((*_SYSTEM_TABLES, *_USER_TABLES)):
            yield from _table(config, scripts)


def _table(config: ConfigFile, scripts: Mapping[str, str]) -> Iterator[Job]:
    system = config.path.startswith(_SYSTEM_TABLES)
    for line in config.text.splitlines():
        entry = _ENTRY.fullmatch(line)
        if entry is None or line.lstrip().startswith("#"):
            continue
        user, command = config.path.rsplit("/", 1)[-1], entry["rest"]
        if system:
            user, command = (*entry["rest"].split(None, 1), "")[:2]
        command = redact_shell(command.strip())
        named = [word.strip("\"'()") for word in re.split(r"[\s;|&<>]+", command)]
        texts = (command, *(scripts[word] for word in named if word in scripts))
        if command:
            yield Job(_job_name(named, config.path), entry["when"].strip(), user, command, config.path, texts)


def _job_name(words: Sequence[str], path: str) -> str:
    """The first word that is a program of its own; else the table's name."""
    for word in words:
        base = word.rsplit("/", 1)[-1]
        if base and re.fullmatch(r"[A-Za-z][\w.+-]*", base) and base not in _WRAPPERS and not word.startswith("-"):
            return re.sub(r"\.(?:sh|py|pl|rb|php)$", "", base)
    return path.rsplit("/", 1)[-1]
