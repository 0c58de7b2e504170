"""BRIDGE-MIB: a switch's own address, and behind which port it sees whom. The forwarding table moves at every scan, so
only its size is told; a crawl reads ``forwarding``."""

from __future__ import annotations

from collections.abc import Iterator

from cmdb_agent.interface_index import Ports
from cmdb_agent.observation import Fact, HostFacts, Sample
from cmdb_agent.probe import Mib
from cmdb_agent.smi import Walks, is_group_mac, mac, number, oid, rows, scalar

BASE = oid("1.3.6.1.2.1.17.1")
FORWARDING_TABLE = oid("1.3.6.1.2.1.17.4.3")

_ADDRESS, _PORT_COUNT = (*BASE, 1), (*BASE, 2)
_PORT, _STATUS = 2, 3
_LEARNED = 3


def forwarding(walks: Walks) -> list[tuple[str, str]]:
    """(key of the own interface, MAC address learned there), ordered."""
    ports = Ports(walks)
    found = set()
    for index, row in rows(walks, FORWARDING_TABLE).items():
        address = mac(bytes(index)) if len(index) == 6 and max(index) < 256 else None
        port = ports.get(ports.bridge.get(number(row.get(_PORT)) or 0))
        if address and port and number(row.get(_STATUS)) in (_LEARNED, None):
            found.add((port.key, address))
    return sorted(found)


def parse(walks: Walks) -> Iterator[Fact]:
    address = mac(scalar(walks, _ADDRESS))
    if address and not is_group_mac(address):
        yield HostFacts({"mac": [address]}, {"bridge_address": address})
    if count := number(scalar(walks, _PORT_COUNT)):
        yield HostFacts(attributes={"port_count": count})
    if entries := len(rows(walks, FORWARDING_TABLE)):
        yield Sample("", "bridge.forwarding.entries", float(entries), "{entry}")


MIB = Mib("bridge", (BASE, FORWARDING_TABLE), parse)
