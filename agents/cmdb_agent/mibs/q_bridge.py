"""Q-BRIDGE-MIB: which VLANs each port carries, tagged and untagged."""

from __future__ import annotations

from collections.abc import Iterator

from cmdb_agent.component import component
from cmdb_agent.interface_index import INTERFACE, Ports
from cmdb_agent.observation import Fact, Sample
from cmdb_agent.probe import Mib
from cmdb_agent.smi import Raw, Walks, mac, number, oid, rows

FORWARDING_TABLE = oid("1.3.6.1.2.1.17.7.1.2.2")
CURRENT_TABLE = oid("1.3.6.1.2.1.17.7.1.4.2")
STATIC_TABLE = oid("1.3.6.1.2.1.17.7.1.4.3")
PORT_TABLE = oid("1.3.6.1.2.1.17.7.1.4.5")

_CURRENT_EGRESS, _STATIC_EGRESS, _PVID = 4, 2, 1
_PORT, _STATUS = 2, 3
_LEARNED = 3


def forwarding(walks: Walks) -> list[tuple[str, str]]:
    """(key of the own interface, MAC address learned there in any VLAN), ordered."""
    ports = Ports(walks)
    found = set()
    for index, row in rows(walks, FORWARDING_TABLE).items():
        address = mac(bytes(index[1:])) if len(index) == 7 and max(index[1:]) < 256 else None
        port = ports.get(ports.bridge.get(number(row.get(_PORT)) or 0))
        if address and port and number(row.get(_STATUS)) in (_LEARNED, None):
            found.add((port.key, address))
    return sorted(found)


def parse(walks: Walks) -> Iterator[Fact]:
    ports = Ports(walks)
    carried = _carried(walks)
    native = {index[0]: number(row.get(_PVID)) for index, row in rows(walks, PORT_TABLE).items()}
    for bridge_port in sorted(carried.keys() | native.keys()):
        if port := ports.get(ports.bridge.get(bridge_port)):
            vlans: list[str | int | float] = [*sorted(carried.get(bridge_port, ()))]
            yield component(INTERFACE, port.key, {"vlans": vlans, "native_vlan": native.get(bridge_port) or None})
    if entries := len(rows(walks, FORWARDING_TABLE)):
        yield Sample("", "bridge.vlan_forwarding.entries", float(entries), "{entry}")


def _carried(walks: Walks) -> dict[int, set[int]]:
    """Bridge port -> VLANs, as they are now; as configured where the device only tells that."""
    carried: dict[int, set[int]] = {}
    current, static = rows(walks, CURRENT_TABLE), rows(walks, STATIC_TABLE)
    egress = [(index[-1], row.get(_CURRENT_EGRESS)) for index, row in current.items()] or [
        (index[0], row.get(_STATIC_EGRESS)) for index, row in static.items()
    ]
    for vlan, ports in egress:
        for port in _ports(ports):
            carried.setdefault(port, set()).add(vlan)
    return carried


def _ports(value: Raw) -> Iterator[int]:
    """PortList: the first octet's highest bit is port 1."""
    if isinstance(value, bytes):
        for position, octet in enumerate(value):
            for bit in range(8):
                if octet & (0x80 >> bit):
                    yield position * 8 + bit + 1


MIB = Mib("q_bridge", (FORWARDING_TABLE, CURRENT_TABLE, STATIC_TABLE, PORT_TABLE), parse)
