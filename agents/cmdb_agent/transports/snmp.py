"""SNMP v2c and v3: one thin transport, whichever library carries it.

gufo-snmp decodes a row in a few microseconds, pysnmp in about a hundred; gufo reads all it can, pysnmp what it
cannot. Both give the same rows: numbers of every kind are of type ``integer``, since gufo does not tell counters from
gauges; what a number means is said by its MIB column.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from importlib import import_module
from typing import Literal

from cmdb_agent.errors import MissingExtra, SettingsError, TransportError
from cmdb_agent.observation import SnmpTransport
from cmdb_agent.transports.walker import Limits

AuthProtocol = Literal["MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]
PrivProtocol = Literal["DES", "AES-128", "AES-192", "AES-256"]
Library = Literal["gufo", "pysnmp"]


@dataclass(frozen=True, slots=True)
class SnmpUser:
    """A v3 user. MD5 and DES are broken and only there for devices that know nothing else. Passwords have at least
    eight characters (RFC 3414)."""

    name: str
    auth_protocol: AuthProtocol | None = None
    auth_password: str = field(default="", repr=False)
    priv_protocol: PrivProtocol | None = None
    priv_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SnmpTarget:
    """Where and as whom to ask: a ``community`` (v2c) or a ``user`` (v3), never both. ``context``: v3's contextName."""

    host: str
    port: int = 161
    community: str | None = field(default=None, repr=False)
    user: SnmpUser | None = None
    context: str = ""

    def __post_init__(self) -> None:
        if (self.community is None) == (self.user is None):
            raise SettingsError(f"snmp://{self.host}: give either a community or a user")
        if self.user and self.user.priv_protocol and not self.user.auth_protocol:
            raise SettingsError(f"snmp://{self.host}: privacy needs an authentication protocol")


def open_snmp(target: SnmpTarget, limits: Limits | None = None, library: Library | None = None) -> SnmpTransport:
    """A transport for one device; nothing is sent yet. ``library`` forces one of the two.

    Raises ``MissingExtra`` when neither library is installed, ``TransportError`` when the name does not resolve.
    """
    limits = limits or Limits()
    # gufo has no contextName.
    wanted: tuple[Library, ...] = (library,) if library else ("pysnmp",) if target.context else ("gufo", "pysnmp")
    missing: ImportError | None = None
    for name in wanted:
        try:
            module = import_module(f"cmdb_agent.transports.snmp_{name}")
        except ImportError as error:
            missing = error
            continue
        transport: SnmpTransport = module.open_transport(target, resolve(target.host, target.port), limits)
        return transport
    raise MissingExtra("SNMP needs its extra: pip install 'cmdb-agent[snmp]'") from missing


def resolve(host: str, port: int) -> str:
    """The address of a host name; an address is its own."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise TransportError(f"{host} does not resolve: {error}") from error
    return str(found[0][4][0])
