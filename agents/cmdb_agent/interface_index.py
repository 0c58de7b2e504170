"""Which interface a number means. ifIndex, bridge ports and LLDP ports are three numberings; each table speaks one.

The key of an interface is its ifName (its ifDescr where there is no ifName), as the host itself calls it, so that a
scan over SSH finds the same interface. Only where a device gives the same name twice is the ifIndex added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from cmdb_agent.component import component_ref
from cmdb_agent.smi import OID, Row, Walks, mac, number, oid, rows, text

IF_TABLE = oid("1.3.6.1.2.1.2.2")
IFX_TABLE = oid("1.3.6.1.2.1.31.1.1")
BRIDGE_PORTS = oid("1.3.6.1.2.1.17.1.4")
LLDP_LOCAL_PORTS = oid("1.0.8802.1.1.2.1.3.7")
INTERFACE = "network_interface"

_DESCR, _PHYS_ADDRESS = 2, 6
_NAME, _ALIAS = 1, 18
_PORT_IF_INDEX = 2
_ID_SUBTYPE, _ID, _PORT_DESCR = 2, 3, 4
ALIAS, COMPONENT, MAC, ADDRESS, NAME, CIRCUIT, LOCAL = range(1, 8)
"""LldpPortIdSubtype; chassis ids have subtypes of their own."""


@dataclass(frozen=True, slots=True)
class Port:
    """One interface by all its names. ``key`` is unique on its device."""

    index: int
    key: str
    name: str
    descr: str
    alias: str
    mac: str | None

    @property
    def ref(self) -> str:
        return component_ref(INTERFACE, self.key)


class Ports:
    """All interfaces of one device."""

    def __init__(self, walks: Walks) -> None:
        self._walks = walks
        self.by_index: Mapping[int, Port] = {port.index: port for port in _ports(walks)}

    def get(self, index: int | None) -> Port | None:
        return self.by_index.get(index) if index is not None else None

    @cached_property
    def bridge(self) -> Mapping[int, int]:
        """Bridge port -> ifIndex (dot1dBasePortTable)."""
        found = ((index[0], number(row.get(_PORT_IF_INDEX))) for index, row in rows(self._walks, BRIDGE_PORTS).items())
        return {port: index for port, index in found if index}

    @cached_property
    def lldp(self) -> Mapping[int, Port | None]:
        """lldpLocPortNum -> interface. The number is no ifIndex: the port's id and description tell which it is."""
        return {index[0]: self._described(index[0], row) for index, row in rows(self._walks, LLDP_LOCAL_PORTS).items()}

    def local(self, lldp_port: int) -> Port | None:
        """The interface of an LLDP port. A device that describes none of its ports numbers them by ifIndex."""
        if lldp_port in self.lldp:
            return self.lldp[lldp_port]
        return self.get(self.bridge.get(lldp_port, lldp_port))

    def called(self, label: str) -> Port | None:
        """The one interface that bears this name, description or alias."""
        return next((port for names in self._labels if (port := names.get(label))), None) if label else None

    def _described(self, lldp_port: int, row: Row) -> Port | None:
        is_mac, descr = number(row.get(_ID_SUBTYPE)) == MAC, text(row.get(_PORT_DESCR))
        label = "" if is_mac else text(row.get(_ID))
        if not self.by_index:
            return _named(label or descr)
        if is_mac:
            return self.called(descr) or self._macs.get(mac(row.get(_ID)) or "")
        return self.called(label) or self.called(descr) or self.get(self.bridge.get(lldp_port, lldp_port))

    @cached_property
    def _labels(self) -> tuple[Mapping[str, Port], ...]:
        ports = self.by_index.values()
        return (
            _unique((port.name, port) for port in ports),
            _unique((port.descr, port) for port in ports),
            _unique((port.alias, port) for port in ports),
        )

    @cached_property
    def _macs(self) -> Mapping[str, Port]:
        return _unique((port.mac or "", port) for port in self.by_index.values())


def _named(label: str) -> Port | None:
    """An interface of which only LLDP tells."""
    return Port(0, label, label, "", "", None) if label else None


def _unique(named: Iterator[tuple[str, Port]]) -> Mapping[str, Port]:
    pairs = list(named)
    counts = Counter(name for name, _ in pairs)
    return {name: port for name, port in pairs if name and counts[name] == 1}


def _ports(walks: Walks) -> Iterator[Port]:
    table, extended = rows(walks, IF_TABLE), rows(walks, IFX_TABLE)
    named = [(index, row, extended.get(index, {})) for index, row in table.items()]
    labels = {index: text(extra.get(_NAME)) or text(row.get(_DESCR)) for index, row, extra in named}
    counts = Counter(labels.values())
    for index, row, extra in named:
        label = labels[index]
        key = label if label and counts[label] == 1 else f"{label}#{index[0]}"
        yield Port(
            index[0], key, text(extra.get(_NAME)), text(row.get(_DESCR)), text(extra.get(_ALIAS)),
            mac(row.get(_PHYS_ADDRESS)),
        )  # fmt: skip


INTERFACE_ROOTS: tuple[OID, ...] = (IF_TABLE, IFX_TABLE)
