"""How a host or device is reached: the only collection I/O of an agent."""

from __future__ import annotations

import errno
import socket

from cmdb_agent.errors import MissingExtra, TransportError
from cmdb_agent.observation import Transport
from cmdb_agent.settings import Limits
from cmdb_agent.targets import Target
from cmdb_agent.transports.local import LocalTransport


def open_shell(target: Target, limits: Limits) -> Transport:
    """A transport that runs scripts on ``target`` (``local`` or ``ssh``); nothing is connected yet.

    Raises ``MissingExtra`` when the SSH library is not installed.
    """
    if target.kind == "local":
        return LocalTransport(limits)
    try:
        from cmdb_agent.transports.ssh import SshTransport
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] == "cmdb_agent":
            raise
        raise MissingExtra("SSH needs its extra: pip install 'cmdb-agent[ssh]'") from error
    return SshTransport(target, limits)


_SILENT = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.ECONNRESET})


def answers(target: Target, limits: Limits) -> bool:
    """Whether anything takes a TCP connection there. Raises ``TransportError`` when that could not be found out: a
    fault on this side says nothing about the other."""
    try:
        socket.create_connection((target.host, target.port), limits.connect_s).close()
    except OSError as error:
        if isinstance(error, TimeoutError) or error.errno in _SILENT:
            return False
        raise TransportError(f"{target.name}: {error.strerror or error}", "unreachable") from error
    return True


def resolve(host: str) -> str:
    """The address behind a name, IPv4 first; the name itself when nothing does resolve it."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError:
        return host
    return str(min(found, key=lambda one: one[0] != socket.AF_INET)[4][0])
