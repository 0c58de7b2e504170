"""Which running application a configuration file is of, and what it names: the edges that no socket may show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cmdb_agent.instances import Instance, Running
from cmdb_agent.observation import ConfigFile
from cmdb_agent.scheduled_jobs import Job, scheduled_jobs
from cmdb_agent.software import Named

HOSTS_FILES = ("/etc/hosts", "getent:hosts")
_CRON = re.compile(r"/etc/cron|/var/spool/cron|/var/cron/")
_SYSTEM_FOLDERS = re.compile(
    r"/(?:usr/|bin/|sbin/|lib|etc/(?:default|sysconfig|systemd)\b|etc/?$|dev/|proc/|sys/|run/|tmp/|var/(?:run|log|lib)/?$)"
)
_MUTE = frozenset(
    {
        "config",
        "conf",
        "etc",
        "settings",
        "env",
        "app",
        "application",
        "main",
        "default",
        "local",
        "production",
        "prod",
        "service",
    }
)


class Configured(NamedTuple):
    """What configuration names: by running application (with the file's path, ``""`` for its command line), by
    scheduled job, and by the folder's name where no process is known that reads the file."""

    by_instance: list[tuple[Instance, str, Named]]
    by_job: list[tuple[Job, Named]]
    unowned: list[tuple[str, str, Named]]


def configured(running: Running, configs: Sequence[ConfigFile]) -> Configured:
    """Every dependency that the files, the tables of cron and the command lines name, hosts turned into addresses."""
    hosts = _hosts(configs)
    told = Configured([], [], [])
    jobs = list(scheduled_jobs(configs))
    scripts = {path for path, text in ((c.path, c.text) for c in configs) if any(text in job.texts for job in jobs)}
    for config in configs:
        if config.path not in HOSTS_FILES and not _CRON.match(config.path) and config.path not in scripts:
            _read(config, running, hosts, told)
    for job in jobs:
        named = {_resolved(one, hosts) for text in job.texts for one in running.known.dependencies(text)}
        told.by_job.extend((job, one) for one in sorted(named))
    for instance in running.instances():
        if not instance.is_administrative and not instance.is_tool:
            told.by_instance.extend((instance, "", _resolved(one, hosts)) for one in _command_line(running, instance))
    return told


def _command_line(running: Running, instance: Instance) -> list[Named]:
    main = instance.main
    return sorted(running.known.dependencies(" ".join(main.command))) if main else []


def _read(config: ConfigFile, running: Running, hosts: Mapping[str, str], told: Configured) -> None:
    signature = running.known.reading(config.path)
    if signature is not None:
        named = {_resolved(one, hosts) for one in signature.dependencies(config.text)}
        owners = [one for one in running.instances() if one.signature is signature]
        owners = [one for one in owners if config.path in one.words()] or owners
    else:
        named = {_resolved(one, hosts) for one in running.known.dependencies(config.text)}
        owners = list(_owners(config, running)) if named else []
    for owner in owners:
        told.by_instance.extend((owner, config.path, one) for one in sorted(named))
    if not owners and signature is None:
        told.unowned.extend((_folder_name(config.path), config.path, one) for one in sorted(named))


def _owners(config: ConfigFile, running: Running) -> Iterator[Instance]:
    """Applications whose command line names the file, or something in its folder, or what file or folder are called."""
    folder = config.path.rsplit("/", 1)[0]
    names = {name for name in (_folder_name(config.path), _file_name(config.path)) if name not in _MUTE}
    for instance in running.instances():
        words = instance.words()
        units = {process.unit.partition(".")[0] for process in instance.processes if process.unit}
        said = {re.split(r"[.:@]", word.rsplit("/", 1)[-1])[0] for word in words} | units | {instance.name}
        inside = not _SYSTEM_FOLDERS.match(folder + "/") and any(word.startswith(folder + "/") for word in words)
        if config.path in words or inside or names & said:
            yield instance


def _folder_name(path: str) -> str:
    """The folder that is called after the application: past ``conf``, ``config``, ``etc``."""
    parts = [part for part in path.split("/")[1:-1] if part not in _MUTE]
    return parts[-1] if len(parts) > 1 else ""


def _file_name(path: str) -> str:
    return path.rsplit("/", 1)[-1].lstrip(".").partition(".")[0]


def _hosts(configs: Sequence[ConfigFile]) -> dict[str, str]:
    """Name -> address as the host resolves it; the first of a name wins."""
    hosts: dict[str, str] = {}
    for config in configs:
        if config.path in HOSTS_FILES:
            for line in config.text.splitlines():
                address, *names = line.partition("#")[0].split() or [""]
                for name in names:
                    hosts.setdefault(name.lower(), address)
    return hosts


def _resolved(named: Named, hosts: Mapping[str, str]) -> Named:
    return named._replace(host=hosts.get(named.host.lower(), named.host))
