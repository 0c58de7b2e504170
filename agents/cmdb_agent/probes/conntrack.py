"""Address translation on this host, as its connection tracking shows it, and virtual servers of IPVS.

Each translated address becomes an endpoint of this host that stands on those it is handed on to, so that whoever calls
that address depends on them through this host.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from cmdb_agent.component import component
from cmdb_agent.observation import End, Fact, Relation
from cmdb_agent.probe import Probe, Variant

_TUPLE = re.compile(r"src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)")
_PROTOCOL = re.compile(r"\b(tcp|udp)\b")
_EPHEMERAL = 32768
"""Ports from here on are handed out by the kernel: nobody publishes a service there."""

Place = tuple[str, int]
"""Address and port."""


def parse_conntrack(text: str) -> Iterator[Fact]:
    """/proc/net/nf_conntrack or ``conntrack -L``: a reply that comes from elsewhere than the request went to is a
    translated destination."""
    found: dict[tuple[str, Place], set[Place]] = {}
    for line in text.splitlines():
        tuples, protocol = _TUPLE.findall(line), _PROTOCOL.search(line)
        if protocol and len(tuples) == 2:
            (_, asked, _, asked_port), (answered, _, answered_port, _) = tuples
            if (asked, asked_port) != (answered, answered_port):
                found.setdefault((protocol[1], _place(asked, asked_port)), set()).add(_place(answered, answered_port))
    yield from _facts(found)


def _place(address: str, port: str) -> Place:
    return str(ipaddress.ip_address(address)), int(port)


def parse_ip_vs(text: str) -> Iterator[Fact]:
    """/proc/net/ip_vs: a line for each virtual server, and one with ``->`` for each real server below it."""
    found: dict[tuple[str, Place], set[Place]] = {}
    virtual: tuple[str, Place] | None = None
    for line in text.splitlines():
        words = line.split()
        if words[:1] in (["TCP"], ["UDP"]):
            virtual = words[0].lower(), _hex_place(words[1])
        elif words[:1] == ["->"] and virtual and re.fullmatch(r"[0-9A-F]{8}:[0-9A-F]{4}", words[1]):
            found.setdefault(virtual, set()).add(_hex_place(words[1]))
    yield from _facts(found)


def _hex_place(text: str) -> Place:
    address, _, port = text.partition(":")
    return str(ipaddress.IPv4Address(int(address, 16))), int(port, 16)


def _facts(found: dict[tuple[str, Place], set[Place]]) -> Iterator[Fact]:
    for (protocol, asked), real in sorted(found.items()):
        if asked[1] >= _EPHEMERAL or ipaddress.ip_address(asked[0]).is_loopback:
            continue
        end = f"[{asked[0]}]:{asked[1]}" if ":" in asked[0] else f"{asked[0]}:{asked[1]}"
        key = f"{protocol}:{end}"
        endpoint = component(
            "endpoint",
            key,
            {
                "name": end, "server.address": asked[0], "server.port": asked[1], "network.transport": protocol,
                "listens": [key],
            },
        )  # fmt: skip
        yield endpoint
        for address, port in sorted(real):
            far = End(address=address, port=port, protocol="udp" if protocol == "udp" else "tcp")
            yield Relation(
                type="depends_on", from_=End(ref=endpoint.ref), to=far,
                evidence="translated by this host", confidence=0.95, group=end,
            )  # fmt: skip


PROBE = Probe(
    "conntrack",
    (
        Variant(
            "/usr/bin/cat /proc/net/nf_conntrack",
            parse_conntrack,
            when="[ -e /proc/net/nf_conntrack ] && [ -x /usr/bin/cat ]",
            sudo=True,
        ),
        Variant("cat /proc/net/nf_conntrack", parse_conntrack, when="[ -r /proc/net/nf_conntrack ]"),
        Variant("cat /proc/net/ip_vs", parse_ip_vs, when="[ -r /proc/net/ip_vs ]"),
    ),
)
