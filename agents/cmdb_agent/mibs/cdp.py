"""CISCO-CDP-MIB: who is at the other end of each port, by Cisco's own protocol."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cmdb_agent.interface_index import Ports
from cmdb_agent.observation import End, Fact, Relation
from cmdb_agent.probe import Mib
from cmdb_agent.smi import Raw, Row, Walks, ip, mac, number, oid, rows, text

CACHE_TABLE = oid("1.3.6.1.4.1.9.9.23.1.2.1")

_ADDRESS_TYPE, _ADDRESS, _DEVICE_ID, _DEVICE_PORT, _SYS_NAME = 3, 4, 6, 7, 17
_IP = 1
_NAME_WITH_SERIAL = re.compile(r"(.+)\(([A-Z0-9]{8,14})\)")
Identifiers = dict[str, list[str]]


def neighbours(walks: Walks) -> list[tuple[str, Identifiers]]:
    """(ref of the own interface, what identifies the neighbour and its port), each neighbour once."""
    ports = Ports(walks)
    by_port: dict[int, list[Identifiers]] = {}
    for index, row in rows(walks, CACHE_TABLE).items():
        if identifiers := _identifiers(row):
            by_port.setdefault(index[0], []).append(identifiers)
    found = []
    for if_index, seen in by_port.items():
        port = ports.get(if_index)
        found += [(port.ref if port else "", identifiers) for identifiers in _united(seen)]
    return sorted(found, key=repr)


def parse(walks: Walks) -> Iterator[Fact]:
    for ref, identifiers in neighbours(walks):
        yield Relation("connects_to", End(identifiers=identifiers), End(ref=ref), evidence="CDP")


def _identifiers(row: Row) -> Identifiers:
    device, port, name = row.get(_DEVICE_ID), text(row.get(_DEVICE_PORT)), text(row.get(_SYS_NAME))
    identifiers = _device(device)
    if not identifiers and not name:
        return {}
    if name:
        identifiers["name"] = list(dict.fromkeys([*identifiers.get("name", []), name]))
    address = ip(row.get(_ADDRESS)) if number(row.get(_ADDRESS_TYPE)) in (_IP, None) else None
    if address and address != "0.0.0.0":  # noqa: S104 - what a device without an address tells
        identifiers["management_address"] = [address]
    if hardware := _raw_mac(row.get(_DEVICE_PORT)):
        identifiers["if_mac"] = [hardware]
    elif port:
        identifiers["if_name"] = [port]
    return identifiers


def _device(value: Raw) -> Identifiers:
    """A device id is a name, a name with the serial number in brackets, or a MAC address, raw or written out."""
    if hardware := _raw_mac(value) or mac(value):
        return {"chassis_id": [hardware]}
    name = text(value)
    if found := _NAME_WITH_SERIAL.fullmatch(name):
        return {"name": [found[1]], "serial": [found[2]]}
    return {"name": [name]} if name else {}


def _raw_mac(value: Raw) -> str | None:
    """Six octets that are no readable text."""
    if isinstance(value, bytes) and len(value) == 6 and not (value.isascii() and text(value).isprintable()):
        return mac(value)
    return None


def _united(seen: Sequence[Identifiers]) -> list[Identifiers]:
    """One neighbour may fill two rows of a port, by its name and by its MAC address: what has the same address there is
    the same."""
    united: list[Identifiers] = []
    for identifiers in seen:
        same = next((known for known in united if _same(known, identifiers)), None)
        if same is None:
            united.append({kind: [*values] for kind, values in identifiers.items()})
            continue
        for kind, values in identifiers.items():
            same[kind] = sorted({*same.get(kind, []), *values})
    return united


def _same(one: Identifiers, other: Identifiers) -> bool:
    shared = set(one.get("management_address", [])).intersection(other.get("management_address", []))
    return bool(shared) and not (
        one.keys() & other.keys() & {"chassis_id"} and one["chassis_id"] != other["chassis_id"]
    )


MIB = Mib("cdp", (CACHE_TABLE,), parse)
