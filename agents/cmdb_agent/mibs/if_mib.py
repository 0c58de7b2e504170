"""IF-MIB: interfaces, what they are stacked from, and their counters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cmdb_agent.component import component
from cmdb_agent.interface_index import IF_TABLE, IFX_TABLE, INTERFACE, Port, Ports
from cmdb_agent.observation import End, Fact, HostFacts, Relation, Sample, Value
from cmdb_agent.probe import Mib
from cmdb_agent.smi import OID, Row, Walks, is_group_mac, number, oid, rows

STACK_TABLE = oid("1.3.6.1.2.1.31.1.2")

_TYPE, _MTU, _SPEED, _ADMIN, _OPER = 3, 4, 5, 7, 8
_HIGH_SPEED, _CONNECTOR = 15, 17
_LAG, _PROP_VIRTUAL = 161, 53
_LAG_NAME = re.compile(r"(?i)(po|port-channel|bundle-ether|ae|trk|lag|bond|bridge-aggregation|eth-trunk)[ -]?\d+")
_MADE_UP = re.compile(
    r"(docker|br-|virbr|vnet|veth|cali|cni|flannel|tap|tun|dummy|ifb|vmnet)[-\w]*\d|docker|WAN Miniport"
)
_TYPES = {
    1: "other", 6: "ethernetCsmacd", 22: "propPointToPointSerial", 23: "ppp", 24: "softwareLoopback", 32: "frameRelay",
    37: "atm", 39: "sonet", 53: "propVirtual", 54: "propMultiplexor", 56: "fibreChannel", 62: "fastEther",
    71: "ieee80211", 77: "lapd", 94: "adsl", 117: "gigabitEthernet", 131: "tunnel", 135: "l2vlan", 136: "l3ipvlan",
    142: "ipForward", 150: "mplsTunnel", 157: "propWirelessP2P", 161: "ieee8023adLag", 166: "mpls",
    188: "radioMAC", 194: "sonetVT", 199: "infiniband", 209: "bridge", 244: "wwanPP2", 258: "vmwareVirtualNic",
}  # fmt: skip
_ADMIN_STATES = {1: "up", 2: "down", 3: "testing"}
_OPER_STATES = {
    1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "notPresent", 7: "lowerLayerDown",
}  # fmt: skip
_COUNTERS = (
    # name, unit, column of ifXTable, column of ifTable
    ("system.network.io.receive", "By", 6, 10),
    ("system.network.io.transmit", "By", 10, 16),
    ("system.network.errors.receive", "{error}", None, 14),
    ("system.network.errors.transmit", "{error}", None, 20),
)


def parse(walks: Walks) -> Iterator[Fact]:
    ports = Ports(walks)
    table, extended = rows(walks, IF_TABLE), rows(walks, IFX_TABLE)
    yield HostFacts({"mac": _hardware_addresses(ports)})
    for index, port in ports.by_index.items():
        row, extra = table[index,], extended.get((index,), {})
        yield component(INTERFACE, port.key, _attributes(port, row, extra))
        yield from _samples(port, row, extra)
    yield from _members(walks, ports, table)


def _hardware_addresses(ports: Ports) -> list[str]:
    """Every MAC address once, without those that a group of routers shares or that software made up."""
    real = (port for port in ports.by_index.values() if not _MADE_UP.match(port.name or port.descr))
    return sorted({port.mac for port in real if port.mac and not is_group_mac(port.mac)})


def _attributes(port: Port, row: Row, extra: Row) -> dict[str, Value]:
    kind, connector = number(row.get(_TYPE)), number(extra.get(_CONNECTOR))
    return {
        "name": port.name or port.descr,
        "if_name": port.name,
        "if_descr": port.descr,
        "if_alias": port.alias,
        "if_index": port.index,
        "if_type": _TYPES.get(kind, str(kind)) if kind else None,
        "mac_address": port.mac,
        "mtu": number(row.get(_MTU)) or None,
        "speed": _speed(row, extra),
        "admin_status": _ADMIN_STATES.get(number(row.get(_ADMIN)) or 0),
        "oper_status": _OPER_STATES.get(number(row.get(_OPER)) or 0),
        "connector_present": None if connector is None else connector == 1,
    }


def _speed(row: Row, extra: Row) -> Value:
    """ifSpeed ends at 4.29 Gbit/s; ifHighSpeed counts in millions."""
    speed, high = number(row.get(_SPEED)) or 0, number(extra.get(_HIGH_SPEED)) or 0
    if speed in (0, 2**32 - 1):
        speed = high * 1_000_000
    return {"value": speed, "unit": "bit/s"} if speed > 0 else None


def _samples(port: Port, row: Row, extra: Row) -> Iterator[Sample]:
    for name, unit, wide, narrow in _COUNTERS:
        value = number(extra.get(wide)) if wide else None
        value = number(row.get(narrow)) if value is None else value
        if value is not None:
            yield Sample("", name, float(value), unit, "counter", port.ref)


def _members(walks: Walks, ports: Ports, table: Mapping[OID, Row]) -> Iterator[Relation]:
    """The interfaces below a link aggregation are its members. Other layers (a VLAN on a port) are no groups."""
    for index in rows(walks, STACK_TABLE):
        if len(index) != 2:
            continue
        above, member = ports.get(index[0]), ports.get(index[1])
        if above and member and _is_lag(above, number(table[above.index,].get(_TYPE))):
            yield Relation("member_of", End(ref=above.ref), End(ref=member.ref), evidence="ifStackTable")


def _is_lag(port: Port, kind: int | None) -> bool:
    return kind == _LAG or (kind == _PROP_VIRTUAL and bool(_LAG_NAME.fullmatch(port.name or port.descr)))


MIB = Mib("if_mib", (IF_TABLE, IFX_TABLE, STACK_TABLE), parse)
