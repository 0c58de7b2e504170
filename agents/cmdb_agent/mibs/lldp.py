"""LLDP-MIB: who the device is to its neighbours, and who is at the other end of each port."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cmdb_agent.component import component
from cmdb_agent.interface_index import INTERFACE, MAC, Ports
from cmdb_agent.observation import End, Fact, HostFacts, Relation
from cmdb_agent.probe import Mib
from cmdb_agent.smi import OID, Raw, Row, Walks, below, counted, inet_address, ip, mac, number, oid, rows, scalar, text

LOCAL = oid("1.0.8802.1.1.2.1.3")
REMOTE_TABLE = oid("1.0.8802.1.1.2.1.4.1")
ADDRESS_TABLE = oid("1.0.8802.1.1.2.1.4.2")
V2_REMOTE_TABLE = oid("1.3.111.2.802.1.1.13.1.4.1")
"""LLDP-V2-MIB: indexed by ifIndex, and each column one further on."""

_LOCAL_SUBTYPE, _LOCAL_ID = (*LOCAL, 1), (*LOCAL, 2)
_CHASSIS_SUBTYPE, _CHASSIS, _PORT_SUBTYPE, _PORT, _PORT_DESCR, _SYS_NAME = 4, 5, 6, 7, 8, 9
_CHASSIS_MAC, _CHASSIS_ADDRESS = 4, 5
_ADDRESS_FAMILIES = {1: 1, 2: 2}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The other end of one port. ``port`` is the ref of the own interface, empty when LLDP does not tell which."""

    port: str
    identifiers: dict[str, list[str]] = field(default_factory=dict)


def neighbours(walks: Walks) -> list[Neighbour]:
    """Every neighbour of a port once, ordered."""
    ports = Ports(walks)
    addresses = _addresses(walks)
    seen = [
        (ports.local(i[1]), row, addresses.get(i, [])) for i, row in rows(walks, REMOTE_TABLE).items() if len(i) == 3
    ]
    for index, row in rows(walks, V2_REMOTE_TABLE).items():
        if len(index) == 4:
            seen.append((ports.get(index[1]), {column - 1: value for column, value in row.items()}, []))
    found: dict[str, Neighbour] = {}
    for port, row, managed_at in seen:
        if identifiers := _identifiers(row, managed_at):
            neighbour = Neighbour(port.ref if port else "", identifiers)
            found[repr(neighbour)] = neighbour
    return [found[key] for key in sorted(found)]


def parse(walks: Walks) -> Iterator[Fact]:
    subtype, chassis = number(scalar(walks, _LOCAL_SUBTYPE)), scalar(walks, _LOCAL_ID)
    if own := _chassis(subtype, chassis):
        kinds = {"chassis_id": [own]} if subtype == _CHASSIS_MAC else {}
        yield HostFacts(kinds, {"lldp_chassis_id": own})
    ports = Ports(walks)
    for name in () if ports.by_index else sorted({port.key for port in ports.lldp.values() if port}):
        yield component(INTERFACE, name, {"if_name": name})
    for neighbour in neighbours(walks):
        yield Relation(
            "connects_to",
            End(identifiers={kind: [*values] for kind, values in neighbour.identifiers.items()}),
            End(ref=neighbour.port),
            evidence="LLDP",
        )


def _identifiers(row: Row, addresses: list[str]) -> dict[str, list[str]]:
    """What identifies a neighbour and its port; empty when the row tells of none (a chassis id of one octet)."""
    subtype, raw = number(row.get(_CHASSIS_SUBTYPE)), row.get(_CHASSIS)
    chassis = _chassis(subtype, raw)
    kind = {_CHASSIS_MAC: "chassis_id", _CHASSIS_ADDRESS: "management_address"}.get(subtype or 0, "name")
    name = text(row.get(_SYS_NAME)) or (chassis if kind == "name" else "")
    if not chassis and not name:
        return {}
    identifiers = {
        "chassis_id": [chassis] if chassis and kind == "chassis_id" else [],
        "name": [name] if name else [],
        "management_address": sorted({*addresses, *([chassis] if chassis and kind == "management_address" else [])}),
        **_port(row),
    }
    return {kind: values for kind, values in identifiers.items() if values}


def _port(row: Row) -> dict[str, list[str]]:
    """Its port by name, and by description where that says something else; or by MAC address."""
    descr = text(row.get(_PORT_DESCR))
    if number(row.get(_PORT_SUBTYPE)) == MAC:
        hardware = mac(row.get(_PORT))
        return {"if_mac": [hardware] if hardware else [], "if_name": [descr] if descr else []}
    names = [name for name in (_label(row.get(_PORT)), descr) if name]
    return {"if_name": list(dict.fromkeys(names))}


def _label(value: Raw) -> str:
    """A port's id as text; one of raw octets tells no name."""
    label = text(value)
    return label if label.isprintable() else ""


def _chassis(subtype: int | None, value: Raw) -> str:
    if not isinstance(value, bytes) or len(value) < 2:
        return ""
    if subtype == _CHASSIS_MAC:
        return mac(value) or ""
    if subtype == _CHASSIS_ADDRESS:
        return ip(value[1:]) or ""  # the first octet is the address family
    return _label(value)


def _addresses(walks: Walks) -> dict[OID, list[str]]:
    """Management addresses of the neighbours by the index of their row; the address stands in the index."""
    found: dict[OID, list[str]] = {}
    for varbind in below(walks, (*ADDRESS_TABLE, 1)):
        index = varbind.oid[len(ADDRESS_TABLE) + 2 :]
        octets, _ = counted(index[4:])
        kind = _ADDRESS_FAMILIES.get(index[3]) if len(index) > 4 else None
        if all(octet < 256 for octet in octets) and (address := inet_address(kind, octets)):
            held = found.setdefault(index[:3], [])
            if address not in held:
                held.append(address)
    return found


MIB = Mib("lldp", (LOCAL, REMOTE_TABLE, ADDRESS_TABLE, V2_REMOTE_TABLE), parse)
