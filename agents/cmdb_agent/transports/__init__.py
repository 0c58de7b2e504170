"""How a host or device is reached: the only collection I/O of an agent."""

from __future__ import annotations

from cmdb_agent.errors import MissingExtra
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
