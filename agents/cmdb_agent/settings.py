"""What an agent is told: one frozen dataclass from a TOML file and ``CMDB_AGENT_*`` environment variables.

Nothing here is secret: passwords, keys, communities and tokens are references (see ``credentials``). Precedence, last
wins: defaults, the file, the environment. A nested field ``ssh.user`` is ``CMDB_AGENT_SSH_USER``; lists are
comma-separated. Unknown names are refused, so that a typing error cannot silently mean a default.
"""

from __future__ import annotations

import dataclasses
import os
import re
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeGuard

import msgspec

from cmdb_agent.errors import SettingsError

PREFIX = "CMDB_AGENT_"
HOURLY = "1h"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much one target may take: seconds, and bytes of output (standard output and error)."""

    connect_s: float = 4.0
    banner_s: float = 5.0
    auth_s: float = 10.0
    channel_s: float = 10.0
    command_s: int = 15
    script_s: float = 60.0
    output_bytes: int = 32 * 1024 * 1024


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class SshAccess:
    """How to log in by SSH. ``keys``, ``certificates``, ``passphrase``, ``password`` and ``sudo_password`` are
    references. ``known_hosts``: files; ``pins``: ``ssh-ed25519 AAAA…`` or ``SHA256:…``; ``enrol_host_keys``: a file
    that unknown host keys are written to on first use. ``jump``: hosts to pass through, ``ssh://user@bastion``,
    comma-separated, nearest first."""

    user: str = ""
    keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    passphrase: str = ""
    password: str = ""
    sudo: Literal["none", "nopasswd", "password"] = "nopasswd"
    sudo_password: str = ""
    jump: str = ""
    known_hosts: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    enrol_host_keys: str = ""


@dataclass(frozen=True, slots=True)
class SnmpAccess:
    """How to ask by SNMP. ``community``, ``auth_password`` and ``privacy_password`` are references."""

    version: Literal["2c", "3"] = "2c"
    community: str = ""
    user: str = ""
    auth: Literal["", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"] = ""
    auth_password: str = ""
    privacy: Literal["", "DES", "AES-128", "AES-192", "AES-256"] = ""
    privacy_password: str = ""
    context: str = ""


NO_SSH = SshAccess()
NO_SNMP = SnmpAccess()


@dataclass(frozen=True, slots=True)
class TargetEntry:
    """One scheduled target: its address (``ssh://host``), how often, and its own way in where it differs."""

    address: str
    every: str
    ssh: SshAccess
    snmp: SnmpAccess


@dataclass(frozen=True, slots=True)
class Settings:
    """``server``: base URL; ``token``: a reference; ``spool``: the SQLite file that holds undelivered reports, bounded
    by ``spool_bytes``; ``every``: the interval of targets that name none (``15m``, ``1h``); ``exclude``: addresses
    and ranges that no sweep of a range touches; ``software`` and ``profiles``: folders of signatures and of device
    profiles beside the agent's own."""

    agent: str = ""
    site: str = "default"
    server: str = ""
    token: str = ""
    ca_file: str = ""
    spool: str = ""
    spool_bytes: int = 256 * 1024 * 1024
    concurrency: int = 32
    every: str = HOURLY
    ssh: SshAccess = NO_SSH
    snmp: SnmpAccess = NO_SNMP
    limits: Limits = DEFAULT_LIMITS
    exclude: tuple[str, ...] = ()
    software: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    targets: tuple[TargetEntry, ...] = field(default=())


def load(
    path: Path | None = None, environ: Mapping[str, str] = os.environ, options: Mapping[str, Any] | None = None
) -> Settings:
    """Reads the settings. ``path`` (or ``CMDB_AGENT_CONFIG``) names the file; without one, only defaults and the
    environment count. ``options`` go over both: by field name, a nested field as ``ssh_user``; what is no setting is
    passed over. Raises ``SettingsError`` naming the file and the field."""
    named = path or (Path(environ[PREFIX + "CONFIG"]) if environ.get(PREFIX + "CONFIG") else None)
    table = _read(named) if named else {}
    where = str(named) if named else "environment"
    _overlay(table, Settings, PREFIX, environ)
    _overlay(table, Settings, "", {name.upper(): value for name, value in (options or {}).items()})
    table["targets"] = [_entry(entry, table, where) for entry in table.get("targets", [])]
    _refuse_unknown(table, Settings, where, "")
    table["agent"] = table.get("agent") or socket.gethostname()
    table["spool"] = table.get("spool") or str(_state_folder(environ) / "spool.sqlite")
    try:
        settings = msgspec.convert(table, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where}: {error}") from None
    for every in (settings.every, *(entry.every for entry in settings.targets)):
        seconds(every)
    return settings


def seconds(duration: str) -> int:
    """``90s``, ``15m``, ``1h``, ``1d`` as seconds; at least one."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", duration.strip())
    if not match or int(match[1]) == 0:
        raise SettingsError(f"{duration!r} is not a duration like 90s, 15m, 1h or 1d")
    return int(match[1]) * _UNITS[match[2]]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None


def _overlay(table: dict[str, Any], shape: type, prefix: str, environ: Mapping[str, Any]) -> None:
    """Lays the environment (or options under the same names) over a table, in place, field by field."""
    for spec in dataclasses.fields(shape):
        name = prefix + spec.name.upper()
        if _is_table(spec.default):
            nested = table.setdefault(spec.name, {})
            if isinstance(nested, dict):
                _overlay(nested, type(spec.default), name + "_", environ)
        elif name in environ and spec.name != "targets":
            given = environ[name]
            split = spec.default == () and isinstance(given, str)
            table[spec.name] = [part for part in given.split(",") if part] if split else given


def _entry(entry: object, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A target's table with the general ways in below its own."""
    if not isinstance(entry, dict) or not isinstance(entry.get("address"), str):
        raise SettingsError(f"{where}: each of [[targets]] needs an address")
    merged: dict[str, Any] = {"every": table.get("every", HOURLY), **entry}
    for name in ("ssh", "snmp"):
        own, general = entry.get(name, {}), table.get(name, {})
        if not isinstance(own, dict) or not isinstance(general, dict):
            raise SettingsError(f"{where}: {name} is a table")
        merged[name] = {**general, **own}
    _refuse_unknown(merged, TargetEntry, where, f"targets[{entry['address']}].")
    for name, shape in (("ssh", SshAccess), ("snmp", SnmpAccess)):
        _refuse_unknown(merged[name], shape, where, f"targets[{entry['address']}].{name}.")
    return merged


def _refuse_unknown(table: Mapping[str, Any], shape: type, where: str, at: str) -> None:
    specs = {spec.name: spec for spec in dataclasses.fields(shape)}
    for name, value in table.items():
        if name not in specs:
            raise SettingsError(f"{where}: there is no setting {at}{name}")
        if isinstance(value, dict) and _is_table(specs[name].default):
            _refuse_unknown(value, type(specs[name].default), where, f"{at}{name}.")


def _is_table(default: object) -> TypeGuard[Any]:
    return dataclasses.is_dataclass(default) and not isinstance(default, type)


def _state_folder(environ: Mapping[str, str]) -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/cmdb-agent")
    base = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".local" / "state")
    return Path(base) / "cmdb-agent"
