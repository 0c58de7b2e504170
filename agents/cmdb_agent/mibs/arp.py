"""IP-MIB's ipNetToMediaTable and ipNetToPhysicalTable: who was seen at which address. They move at every scan, so only
their number is told; a crawl reads ``neighbours``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cmdb_agent.interface_index import Ports
from cmdb_agent.observation import Fact, Sample
from cmdb_agent.probe import Mib
from cmdb_agent.smi import Walks, counted, inet_address, ip, is_group_mac, mac, number, oid, rows

MEDIA_TABLE = oid("1.3.6.1.2.1.4.22")
PHYSICAL_TABLE = oid("1.3.6.1.2.1.4.35")

_MEDIA_MAC, _MEDIA_TYPE = 2, 4
_PHYSICAL_MAC, _PHYSICAL_TYPE = 4, 6
_INVALID, _LOCAL = 2, 5


@dataclass(frozen=True, slots=True, order=True)
class Neighbour:
    """Someone on the wire of the interface ``port`` (its key, empty when the interface is not known)."""

    address: str
    mac: str
    port: str


def neighbours(walks: Walks) -> list[Neighbour]:
    """Everyone with an address and a MAC address, once. Addresses that routers share are left out."""
    ports = Ports(walks)
    found = set()
    for index, address, hardware, kind in _entries(walks):
        if address and hardware and kind not in (_INVALID, _LOCAL) and not is_group_mac(hardware):
            port = ports.get(index)
            found.add(Neighbour(address, hardware, port.key if port else ""))
    return sorted(found)


def parse(walks: Walks) -> Iterator[Fact]:
    if count := len(neighbours(walks)):
        yield Sample("", "arp.entries", float(count), "{entry}")


def _entries(walks: Walks) -> Iterator[tuple[int, str | None, str | None, int | None]]:
    for index, row in rows(walks, MEDIA_TABLE).items():
        octets = index[1:]
        address = ip(bytes(octets)) if len(octets) == 4 and max(octets) < 256 else None
        yield index[0], address, mac(row.get(_MEDIA_MAC)), number(row.get(_MEDIA_TYPE))
    for index, row in rows(walks, PHYSICAL_TABLE).items():
        octets, _ = counted(index[2:])
        address = inet_address(index[1], octets) if len(index) > 2 and all(o < 256 for o in octets) else None
        yield index[0], address, mac(row.get(_PHYSICAL_MAC)), number(row.get(_PHYSICAL_TYPE))


MIB = Mib("arp", (MEDIA_TABLE, PHYSICAL_TABLE), parse)
