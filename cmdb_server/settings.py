"""The server's settings: one frozen value, read from ``CMDB_*`` once at the start.

Secrets never stand in a setting: it holds a reference, ``env:NAME`` or ``file:/path``, that is resolved when the secret
is needed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from cmdb_server.errors import SettingsError

MIB = 1024 * 1024
NEO4J_SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
SAMPLE_DAYS: Mapping[str, int] = MappingProxyType({"raw": 3, "5min": 8, "1h": 90, "1d": 1100})
"""How many days samples are kept at each resolution."""
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
"""A mail address in its plain form."""
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where the graph is kept. ``path`` for sqlite; ``uri``, ``user`` and ``database`` for neo4j."""

    engine: Literal["sqlite", "neo4j"]
    path: Path | None = None
    uri: str = ""
    user: str = "neo4j"
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their defaults. Sizes are bytes, rates are per token and minute, ``proxies`` is how many
    trusted reverse proxies stand in front (0: none, and plain HTTP is then served to loopback only). Owners are told
    by mail where there is an ``smtp_host``; its ``smtp_port`` None is the usual one. ``snapshots``: the folder of this
    store's projections that processes share; None: beside the file, where the store is one."""

    store: StoreAddress = StoreAddress("sqlite", Path("cmdb.db"))
    store_password: str = "env:CMDB_NEO4J_PASSWORD"  # noqa: S105  a reference, not a password
    bind: tuple[str, int] = ("127.0.0.1", 8460)
    proxies: int = 0
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    workers: int = 2
    threads: int = 4
    max_report: int = 32 * MIB
    max_body: int = MIB
    max_ratio: int = 200
    max_depth: int = 32
    requests_per_minute: int = 1200
    bytes_per_minute: int = 512 * MIB
    classes: tuple[Path, ...] = ()
    kinds: tuple[Path, ...] = ()
    webhook_networks: tuple[str, ...] = ()
    sample_days: Mapping[str, int] = field(default_factory=lambda: SAMPLE_DAYS)
    jobs: bool = True
    smtp_host: str = ""
    smtp_port: int | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_from: str = ""
    smtp_user: str | None = None
    smtp_password: str = "env:CMDB_SMTP_SECRET"  # noqa: S105  a reference, not a password
    smtp_ca: Path | None = None
    log_level: str = "INFO"
    snapshots: Path | Literal["off"] | None = None

    @property
    def tls(self) -> bool:
        return self.tls_certificate is not None

    @property
    def snapshot_folder(self) -> Path | None:
        """Where processes share projections; None where each has its own."""
        if self.snapshots is None:
            path = self.store.path
            return path and path.with_name(f"{path.name}.snapshots")
        return None if self.snapshots == "off" else self.snapshots


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings told by the environment. Raises SettingsError naming the variable."""
    told = os.environ if environment is None else environment
    given: dict[str, Any] = {}
    for name, parse in _PARSERS.items():
        variable = f"CMDB_{name.upper()}"
        if text := told.get(variable, ""):
            try:
                given[name] = parse(text)
            except ValueError as error:
                raise SettingsError(f"{variable}={text}: {error}") from None
    settings = Settings(**given)
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise SettingsError("CMDB_TLS_CERTIFICATE and CMDB_TLS_KEY are given together or not at all")
    if settings.smtp_host and not settings.smtp_from:
        raise SettingsError("CMDB_SMTP_FROM: mail needs an address that it comes from")
    if settings.smtp_security == "none" and settings.smtp_host not in (*LOOPBACK, ""):
        raise SettingsError("CMDB_SMTP_SECURITY: beyond this machine mail is handed in encrypted: starttls or tls")
    return settings


def secret(reference: str, environment: Mapping[str, str] | None = None) -> str:
    """The secret behind ``env:NAME`` or ``file:/path``. Raises SettingsError, which never holds the secret."""
    kind, _, place = reference.partition(":")
    if kind == "env" and place:
        found = (os.environ if environment is None else environment).get(place)
        if found is None:
            raise SettingsError(f"{reference}: the environment has no {place}")
        return found
    if kind == "file" and place:
        try:
            return Path(place).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{reference}: {error.strerror}") from None
    raise SettingsError("a secret is given as env:NAME or file:/path")


def store_address(text: str) -> StoreAddress:
    """``sqlite:///absolute/path``, ``sqlite:relative/path`` or ``neo4j://user@host[:port][/database]``."""
    parts = urlsplit(text)
    if parts.scheme == "sqlite":
        if parts.netloc or not parts.path:
            raise ValueError("write sqlite:///absolute/path or sqlite:relative/path")
        return StoreAddress("sqlite", path=Path(unquote(parts.path)))
    if parts.scheme in NEO4J_SCHEMES:
        if parts.password is not None:
            raise ValueError("the password belongs behind CMDB_STORE_PASSWORD=env:NAME or file:/path")
        if not parts.hostname:
            raise ValueError("names no host")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        address = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
        return StoreAddress(
            "neo4j",
            uri=address,
            user=unquote(parts.username or "neo4j"),
            database=parts.path.strip("/") or None,
        )
    raise ValueError(f"a store is sqlite:///path or {' or '.join(NEO4J_SCHEMES[:1])}://user@host")


def bind_address(text: str) -> tuple[str, int]:
    """``host:port``, ``[v6]:port``; port 0 is any free one."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.port is None:
        raise ValueError("write host:port, such as 127.0.0.1:8460")
    return parts.hostname, parts.port


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(f"must be between {low} and {high}")
        return value

    return parse


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError("no such file")
    return path


def _folders(text: str) -> tuple[Path, ...]:
    return tuple(Path(part) for part in text.split(os.pathsep) if part)


def _folder_or_off(text: str) -> Path | Literal["off"]:
    return "off" if text.lower() == "off" else Path(text)


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ip_network(part.strip())) for part in text.split(",") if part.strip())


def _sample_days(text: str) -> Mapping[str, int]:
    """``raw=3,1h=90``: what is not named keeps its default. A finer resolution outlasts a bucket of the next."""
    days = dict(SAMPLE_DAYS)
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if name not in days:
            raise ValueError(f"{name!r} is none of {', '.join(days)}")
        days[name] = _whole(2, 36_500)(number)
    return MappingProxyType(days)


def _switch(text: str) -> bool:
    if text.lower() not in ("on", "off"):
        raise ValueError("must be on or off")
    return text.lower() == "on"


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("must be a name or an address, without a port")
    return text


def _security(text: str) -> str:
    if text not in ("starttls", "tls", "none"):
        raise ValueError("must be starttls, tls or none")
    return text


def _mailbox(text: str) -> str:
    if not ADDRESS.fullmatch(text):
        raise ValueError("must be a mail address in its plain form, such as cmdb@example.org")
    return text


def _level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return text.upper()


_PARSERS: dict[str, Callable[[str], Any]] = {
    "store": store_address,
    "store_password": str,
    "bind": bind_address,
    "proxies": _whole(0, 8),
    "tls_certificate": _file,
    "tls_key": _file,
    "workers": _whole(1, 64),
    "threads": _whole(1, 256),
    "max_report": _whole(1024, 1024 * MIB),
    "max_body": _whole(1024, 64 * MIB),
    "max_ratio": _whole(2, 2000),
    "max_depth": _whole(4, 256),
    "requests_per_minute": _whole(1, 10_000_000),
    "bytes_per_minute": _whole(1024, 1 << 50),
    "classes": _folders,
    "kinds": _folders,
    "webhook_networks": _networks,
    "sample_days": _sample_days,
    "jobs": _switch,
    "smtp_host": _host,
    "smtp_port": _whole(1, 65535),
    "smtp_security": _security,
    "smtp_from": _mailbox,
    "smtp_user": str,
    "smtp_password": str,
    "smtp_ca": _file,
    "log_level": _level,
    "snapshots": _folder_or_off,
}
