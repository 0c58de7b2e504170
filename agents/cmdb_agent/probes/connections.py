"""The connections the host has, and those it had a moment ago (TIME-WAIT)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps

from cmdb_agent.observation import Socket
from cmdb_agent.probe import Probe, Variant
from cmdb_agent.socket_tables import parse_netstat, parse_proc_net, parse_sockstat, parse_solaris_netstat, parse_ss


def _connected(parse: Callable[[str], Iterable[Socket]]) -> Callable[[str], Iterator[Socket]]:
    """Only sockets with a peer; the listeners have a section of their own."""

    @wraps(parse)
    def parse_connected(text: str) -> Iterator[Socket]:
        return (socket for socket in parse(text) if socket.peer_port)

    return parse_connected


PROBE = Probe(
    "connections",
    (
        Variant("/usr/bin/ss -H -tanp", _connected(parse_ss), when="/usr/bin/ss -H -l -t", sudo=True),
        Variant("/usr/sbin/ss -H -tanp", _connected(parse_ss), when="/usr/sbin/ss -H -l -t", sudo=True),
        Variant("ss -tanpe", _connected(parse_ss), when="ss -l -t", partial_without_sudo=True),
        Variant(
            "netstat -tanp",
            _connected(parse_netstat),
            when='[ "`uname -s`" = Linux ] && netstat -tln',
            partial_without_sudo=True,
        ),
        Variant(
            "for t in tcp tcp6; do echo $t; cat /proc/net/$t; done",
            _connected(parse_proc_net),
            when="[ -r /proc/net/tcp ]",
            partial_without_sudo=True,
            codes=(0, 1),
        ),
        Variant("sockstat -46c", _connected(parse_sockstat), when="command -v sockstat"),
        Variant(
            "netstat -an -f inet; netstat -an -f inet6",
            _connected(parse_solaris_netstat),
            when='[ "`uname -s`" = SunOS ]',
            partial_without_sudo=True,
        ),
        Variant("netstat -an", _connected(parse_netstat), when="command -v netstat", partial_without_sudo=True),
    ),
)
