"""Where the host sends what is not for its own networks."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator

from cmdb_agent.component import told
from cmdb_agent.observation import HostFacts
from cmdb_agent.probe import Probe, Variant

_DEFAULT = re.compile(r"^default(?:\s+\S+)*?\s+via\s+(?:inet6?\s+)?(\S+)", re.MULTILINE)
_TABLE = re.compile(r"^(?:default|0\.0\.0\.0(?:/0)?|::/0)\s+([0-9A-Fa-f.:]+)\b", re.MULTILINE)


def _facts(gateways: Iterable[str]) -> Iterator[HostFacts]:
    found = sorted({gateway for gateway in gateways if _is_gateway(gateway)})
    if found:
        yield HostFacts(attributes=told({"default_gateways": found}))


def _is_gateway(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False


def parse_ip_json(text: str) -> Iterator[HostFacts]:
    """``ip -j route`` of both families, one JSON array after the other."""
    decoder, rest, gateways = json.JSONDecoder(), text.strip(), []
    while rest:
        rows, end = decoder.raw_decode(rest)
        rest = rest[end:].lstrip()
        for row in rows:
            if row.get("dst") == "default":
                hops = [row, *row.get("nexthops", [])]
                gateways += [hop.get("gateway") or hop.get("via", {}).get("host", "") for hop in hops]
    return _facts(gateways)


def parse_ip_text(text: str) -> Iterator[HostFacts]:
    """``ip route``."""
    return _facts(_DEFAULT.findall(text))


def parse_table(text: str) -> Iterator[HostFacts]:
    """``netstat -rn`` or ``route -n``, of any system."""
    return _facts(_TABLE.findall(text))


def parse_proc(text: str) -> Iterator[HostFacts]:
    """/proc/net/route: destination and gateway as little-endian hexadecimal."""
    rows = [line.split() for line in text.splitlines()]
    found = [row[2] for row in rows if len(row) > 7 and row[1] == "00000000" and row[7] == "00000000"]
    return _facts(str(ipaddress.IPv4Address(bytes.fromhex(word)[::-1])) for word in found)


PROBE = Probe(
    "routes",
    (
        Variant(
            "ip -j route show default; ip -j -6 route show default 2>/dev/null; :", parse_ip_json, when="ip -j route"
        ),
        Variant("ip route; ip -6 route 2>/dev/null; :", parse_ip_text, when="ip route"),
        Variant("cat /proc/net/route", parse_proc, when="[ -r /proc/net/route ]"),
        Variant("netstat -rn", parse_table, when="netstat -rn"),
        Variant("route -n", parse_table, when="route -n"),
    ),
)
