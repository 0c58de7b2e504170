"""Plain values that pass between an agent's parts. No behaviour, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from cmdb_schemas.report import (
    Component,
    Coverage,
    CoverageStatus,
    End,
    Observation,
    Relation,
    Sample,
    ScanError,
    Value,
)

__all__ = [
    "Component",
    "ConfigFile",
    "Coverage",
    "CoverageStatus",
    "End",
    "Fact",
    "HostFacts",
    "Observation",
    "Output",
    "Process",
    "Relation",
    "Sample",
    "ScanError",
    "Socket",
    "Transcript",
    "Transport",
    "Value",
    "Varbind",
    "Walk",
]


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What one probe learned about the scanned host itself; the scan unites these into one Observation."""

    identifiers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    attributes: Mapping[str, Value] = field(default_factory=dict)
    class_: str | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """A running process. ``command`` is the redacted command line; ``unit`` its systemd unit or cgroup, if known;
    ``uid`` its owner's number, ``-1`` if unknown."""

    pid: int
    name: str
    command: tuple[str, ...] = ()
    user: str = ""
    parent: int = 0
    executable: str = ""
    unit: str = ""
    container: str = ""
    uid: int = -1


@dataclass(frozen=True, slots=True)
class Socket:
    """One socket of the host. Listening sockets have no peer. ``process`` is (name, pid) pairs, empty without the
    right to see them. ``state`` is TCP's (``LISTEN``, ``ESTAB``, ``TIME-WAIT``) or ``UNCONN``. ``uid`` is the owner's
    number where the kernel tells it to everyone, else ``-1``."""

    protocol: Literal["tcp", "udp"]
    state: str
    local_address: str
    local_port: int
    peer_address: str = ""
    peer_port: int = 0
    processes: tuple[tuple[str, int], ...] = ()
    uid: int = -1


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration file's redacted text, read because a software signature asked for it."""

    path: str
    text: str


Fact = HostFacts | Component | Relation | Sample | Process | Socket | ConfigFile


@dataclass(frozen=True, slots=True)
class Output:
    """What one section of the script printed. ``variant`` is the index of the probe's variant that ran; ``-1``: none
    of them applies to this host. ``code``: exit code, 124 when it was cut off at the time limit."""

    section: str
    variant: int
    code: int
    text: str
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Varbind:
    """One SNMP row: OID as a tuple of integers, value as bytes (octet strings), int, str (OIDs, dotted; addresses)
    or None. ``type`` is the wire's: integer, string, oid, address, counter, gauge, ticks, counter64, null."""

    oid: tuple[int, ...]
    value: bytes | int | str | None
    type: str


@dataclass(frozen=True, slots=True)
class Walk:
    """The rows below one root and how the walk ended."""

    root: tuple[int, ...]
    varbinds: tuple[Varbind, ...]
    status: CoverageStatus
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a script printed, whole or up to where it was cut: ``cut`` is empty, ``timeout``, ``too-large`` or
    ``closed`` (the connection broke); sections that ended before the cut still count. ``code``: exit code, -1 if
    unknown. ``errors``: the end of standard error. ``address``: where the host answered, empty if that is not known;
    ``host_key``: fingerprint (``SHA256:…``) of the SSH host key it proved."""

    text: str
    code: int = 0
    cut: str = ""
    errors: str = ""
    address: str = ""
    host_key: str = ""


class Transport(Protocol):
    """Runs one POSIX script on a host. Raises ``errors.TransportError`` when nothing could be run."""

    def run(self, script: str) -> Transcript: ...

    def close(self) -> None: ...


class SnmpTransport(Protocol):
    """Reads one device. Raises ``errors.TransportError`` when the device does not answer at all."""

    def get(self, oids: Sequence[tuple[int, ...]]) -> Iterator[Varbind]: ...

    def walk(self, root: tuple[int, ...]) -> Walk: ...

    def close(self) -> None: ...
