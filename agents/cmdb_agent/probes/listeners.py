"""The sockets on which the host waits for others."""

from __future__ import annotations

from cmdb_agent.probe import Probe, Variant
from cmdb_agent.socket_tables import parse_netstat, parse_proc_net, parse_sockstat, parse_solaris_netstat, parse_ss

# Whose process it is, the kernel tells root alone; to others it tells the owner (-e).
PROBE = Probe(
    "listeners",
    (
        Variant("/usr/bin/ss -H -tulpn", parse_ss, when="/usr/bin/ss -H -l -t", sudo=True),
        Variant("/usr/sbin/ss -H -tulpn", parse_ss, when="/usr/sbin/ss -H -l -t", sudo=True),
        Variant("ss -tulpne", parse_ss, when="ss -l -t", partial_without_sudo=True),
        Variant(
            "netstat -tulpn", parse_netstat, when='[ "`uname -s`" = Linux ] && netstat -tln', partial_without_sudo=True
        ),
        Variant(
            "for t in tcp tcp6 udp udp6; do echo $t; cat /proc/net/$t; done",
            parse_proc_net,
            when="[ -r /proc/net/tcp ]",
            partial_without_sudo=True,
            codes=(0, 1),
        ),
        Variant("sockstat -46l", parse_sockstat, when="command -v sockstat"),
        Variant(
            "netstat -an -f inet; netstat -an -f inet6",
            parse_solaris_netstat,
            when='[ "`uname -s`" = SunOS ]',
            partial_without_sudo=True,
        ),
        Variant("netstat -an", parse_netstat, when="command -v netstat", partial_without_sudo=True),
    ),
)
