"""The sockets on which the host waits for others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps

from cmdb_agent.observation import Socket
from cmdb_agent.probe import Probe, Variant
from cmdb_agent.socket_tables import parse_netstat, parse_proc_net, parse_sockstat, parse_solaris_netstat, parse_ss


def _listening(parse: Callable[[str], Iterable[Socket]]) -> Callable[[str], Iterator[Socket]]:
    """Only sockets without a peer, where a command lists all."""

    @wraps(parse)
    def parse_listening(text: str) -> Iterator[Socket]:
        return (socket for socket in parse(text) if not socket.peer_port and socket.state in ("LISTEN", "UNCONN"))

    return parse_listening


# Whose process it is, the kernel tells root alone; to others it tells the owner (-e).
PROBE = Probe(
    "listeners",
    (
        Variant("/usr/bin/ss -H -tulpn", _listening(parse_ss), when="/usr/bin/ss -H -l -t", sudo=True),
        Variant("/usr/sbin/ss -H -tulpn", _listening(parse_ss), when="/usr/sbin/ss -H -l -t", sudo=True),
        Variant("ss -tulpne", _listening(parse_ss), when="ss -l -t", partial_without_sudo=True),
        Variant(
            "netstat -tulpn",
            _listening(parse_netstat),
            when='[ "`uname -s`" = Linux ] && netstat -tln',
            partial_without_sudo=True,
        ),
        Variant(
            "for t in tcp tcp6 udp udp6; do echo $t; cat /proc/net/$t; done",
            _listening(parse_proc_net),
            when="[ -r /proc/net/tcp ]",
            partial_without_sudo=True,
            codes=(0, 1),
        ),
        Variant("sockstat -46l", _listening(parse_sockstat), when="command -v sockstat"),
        Variant(
            "netstat -an -f inet; netstat -an -f inet6",
            _listening(parse_solaris_netstat),
            when='[ "`uname -s`" = SunOS ]',
            partial_without_sudo=True,
        ),
        Variant("netstat -an", _listening(parse_netstat), when="command -v netstat", partial_without_sudo=True),
    ),
)
