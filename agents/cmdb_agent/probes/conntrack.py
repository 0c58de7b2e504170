"""Address translation on this host, as its connection tracking shows it, and virtual servers of IPVS."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from cmdb_agent.observation import HostFacts
from cmdb_agent.probe import Probe, Variant

_TUPLE = re.compile(r"src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)")
_PROTOCOL = re.compile(r"\b(tcp|udp)\b")


def parse_conntrack(text: str) -> Iterator[HostFacts]:
    """/proc/net/nf_conntrack or ``conntrack -L``: a reply that comes from elsewhere than the request went to is a
    translated destination (``tcp 10.0.0.5:80 -> 10.0.1.7:8080``)."""
    found = set()
    for line in text.splitlines():
        tuples, protocol = _TUPLE.findall(line), _PROTOCOL.search(line)
        if protocol and len(tuples) == 2:
            (_, asked, _, asked_port), (answered, _, answered_port, _) = tuples
            if (asked, asked_port) != (answered, answered_port):
                found.add(_row(protocol[1], asked, asked_port, answered, answered_port))
    yield from _facts(found)


def _row(protocol: str, asked: str, asked_port: str, real: str, real_port: str) -> str:
    return f"{protocol} {_end(asked, asked_port)} -> {_end(real, real_port)}"


def _end(address: str, port: str) -> str:
    plain = str(ipaddress.ip_address(address))
    return f"[{plain}]:{port}" if ":" in plain else f"{plain}:{port}"


def _facts(rows: set[str]) -> Iterator[HostFacts]:
    if rows:
        yield HostFacts(attributes={"nat_translations": sorted(rows)})


def parse_ip_vs(text: str) -> Iterator[HostFacts]:
    """/proc/net/ip_vs: a line for each virtual server, and one with ``->`` for each real server below it."""
    found, protocol, virtual = set(), "", ("", "")
    for line in text.splitlines():
        words = line.split()
        if words[:1] in (["TCP"], ["UDP"]):
            protocol, virtual = words[0].lower(), _hex_end(words[1])
        elif words[:1] == ["->"] and protocol and re.fullmatch(r"[0-9A-F]{8}:[0-9A-F]{4}", words[1]):
            found.add(_row(protocol, *virtual, *_hex_end(words[1])))
    yield from _facts(found)


def _hex_end(text: str) -> tuple[str, str]:
    address, _, port = text.partition(":")
    return str(ipaddress.IPv4Address(int(address, 16))), str(int(port, 16))


PROBE = Probe(
    "conntrack",
    (
        Variant("cat /proc/net/nf_conntrack", parse_conntrack, when="[ -r /proc/net/nf_conntrack ]"),
        Variant("cat /proc/net/ip_vs", parse_ip_vs, when="[ -r /proc/net/ip_vs ]"),
    ),
)
