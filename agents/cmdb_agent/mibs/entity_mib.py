"""ENTITY-MIB: chassis, modules, power supplies and fans with their serial numbers, and which ports sit in which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from cmdb_agent.component import component, component_ref, told
from cmdb_agent.interface_index import IF_TABLE, Ports
from cmdb_agent.observation import Component, End, Fact, HostFacts, Relation, Value
from cmdb_agent.probe import Mib
from cmdb_agent.smi import Row, Walks, date, number, oid, rows, text

PHYSICAL_TABLE = oid("1.3.6.1.2.1.47.1.1.1")
ALIAS_TABLE = oid("1.3.6.1.2.1.47.1.3.2")

_DESCR, _CONTAINED_IN, _CLASS, _POSITION, _NAME, _HARDWARE, _FIRMWARE, _SOFTWARE = 2, 4, 5, 6, 7, 8, 9, 10
_SERIAL, _MANUFACTURER, _MODEL, _ASSET, _FRU, _MADE_ON = 11, 12, 13, 15, 16, 17
_CHASSIS, _POWER_SUPPLY, _FAN, _MODULE, _PORT, _STACK = 3, 6, 7, 9, 10, 11
_CLASSES = {
    1: "other", 2: "unknown", 3: "chassis", 4: "backplane", 5: "container", 6: "powerSupply", 7: "fan", 8: "sensor",
    9: "module", 10: "port", 11: "stack", 12: "cpu", 13: "energyObject", 14: "battery", 15: "storageDrive",
}  # fmt: skip
_CI_CLASSES = {_CHASSIS: "chassis", _POWER_SUPPLY: "power_supply", _FAN: "fan", 15: "disk"}
_NOT_TOLD = frozenset(
    ("", "0", "n/a", "na", "none", "null", "unknown", "not specified", "not available", "unspecified")
)
_IF_ENTRY = ".".join(map(str, IF_TABLE)) + ".1."


def told_text(row: Row, column: int) -> str:
    """A column's text, empty when the device only says that it does not know."""
    value = text(row.get(column))
    return "" if value.lower().strip(" .") in _NOT_TOLD else value


@dataclass(frozen=True, slots=True)
class _Part:
    """One row of entPhysicalTable."""

    index: int
    row: Row

    @property
    def kind(self) -> int:
        return number(self.row.get(_CLASS)) or 2

    @property
    def within(self) -> int:
        return number(self.row.get(_CONTAINED_IN)) or 0

    @property
    def serial(self) -> str:
        return told_text(self.row, _SERIAL)

    @property
    def model(self) -> str:
        return told_text(self.row, _MODEL)

    @property
    def label(self) -> str:
        return text(self.row.get(_NAME)) or text(self.row.get(_DESCR))


class _Inventory:
    """The parts of one device as a tree."""

    def __init__(self, walks: Walks) -> None:
        self.parts: Mapping[int, _Part] = {
            index[0]: _Part(index[0], row) for index, row in rows(walks, PHYSICAL_TABLE).items()
        }

    @cached_property
    def chassis(self) -> list[_Part]:
        """The boxes that are there: an empty slot of a stack is a chassis without serial number and model."""
        found = [part for part in self.parts.values() if part.kind == _CHASSIS and (part.serial or part.model)]
        boxes = {part.index for part in found}
        return [part for part in found if not boxes.intersection(self._above(part))]

    @cached_property
    def first(self) -> _Part | None:
        """What stands for the whole device: its first box, else the outermost part that has a serial number."""
        roots = (part for part in self.parts.values() if not part.within and part.serial)
        return next(iter(self.chassis), None) or next(roots, None)

    @cached_property
    def components(self) -> Mapping[int, Component]:
        wanted = [part for part in self.parts.values() if self._is_component(part)]
        counts = Counter(part.label for part in wanted)
        keys = {part.index: part.label if counts[part.label] == 1 and part.label else f"{part.label}#{part.index}"
                for part in wanted}  # fmt: skip
        refs = {part.index: component_ref(_ci_class(part), keys[part.index]) for part in wanted}
        return {part.index: self._component(part, keys[part.index], refs) for part in wanted}

    def nearest(self, index: int) -> Component | None:
        """The component that a part is, or lies in."""
        part = self.parts.get(index)
        if part is None:
            return None
        return next((self.components[i] for i in (index, *self._above(part)) if i in self.components), None)

    def _is_component(self, part: _Part) -> bool:
        """A device of one box is that box. What has neither serial number nor model is a place, not a thing."""
        if part.kind == _CHASSIS:
            return len(self.chassis) > 1 and part in self.chassis
        if part.kind in (_POWER_SUPPLY, _FAN):
            return bool(part.label)
        is_device = part == self.first and not self.chassis
        return bool(part.serial or part.model) and not is_device and part.kind not in (_STACK, 4, 5, 8, 12)

    def _component(self, part: _Part, key: str, refs: Mapping[int, str]) -> Component:
        made = component(_ci_class(part), key, _attributes(part))
        parent = next((refs[index] for index in self._above(part) if index in refs), "")
        return Component(made.ref, made.class_, made.local_key, parent, None, made.identifiers, made.attributes)

    def _above(self, part: _Part) -> list[int]:
        """The parts that hold this one, nearest first; a table that points in a circle ends at the first repeat."""
        above: list[int] = []
        within = part.within
        while within and within != part.index and within not in above:
            above.append(within)
            within = self.parts[within].within if within in self.parts else 0
        return above


def parse(walks: Walks) -> Iterator[Fact]:
    inventory = _Inventory(walks)
    serials = sorted({part.serial for part in inventory.chassis if part.serial})
    if inventory.first:
        serials = serials or [inventory.first.serial] if inventory.first.serial else serials
        yield HostFacts({"serial": serials} if serials else {}, _device_attributes(inventory.first, serials))
    yield from inventory.components.values()
    yield from _ports(walks, inventory)


def _device_attributes(part: _Part, serials: list[str]) -> dict[str, Value]:
    return told(
        {
            "manufacturer": told_text(part.row, _MANUFACTURER),
            "model_number": part.model,
            "serial_number": part.serial,
            "serial_numbers": [*serials] if len(serials) > 1 else None,
            "hardware_version": told_text(part.row, _HARDWARE),
            "firmware_version": told_text(part.row, _FIRMWARE),
            "os_version": told_text(part.row, _SOFTWARE),
            "asset_tag": told_text(part.row, _ASSET),
        }
    )


def _ci_class(part: _Part) -> str:
    return _CI_CLASSES.get(part.kind, "module")


def _attributes(part: _Part) -> dict[str, Value]:
    fru = number(part.row.get(_FRU))
    return {
        "name": part.label,
        "description": text(part.row.get(_DESCR)),
        "module_class": _CLASSES.get(part.kind, str(part.kind)),
        "manufacturer": told_text(part.row, _MANUFACTURER),
        "model_number": part.model,
        "serial_number": part.serial,
        "hardware_version": told_text(part.row, _HARDWARE),
        "firmware_version": told_text(part.row, _FIRMWARE),
        "software_version": told_text(part.row, _SOFTWARE),
        "asset_tag": told_text(part.row, _ASSET),
        "manufactured_on": date(part.row.get(_MADE_ON)),
        "field_replaceable": None if fru is None else fru == 1,
    }


def _ports(walks: Walks, inventory: _Inventory) -> Iterator[Relation]:
    """entAliasMappingTable: which interface a physical port is, so that its box or card holds it."""
    ports = Ports(walks)
    held: dict[str, str] = {}
    for index, row in rows(walks, ALIAS_TABLE).items():
        name = text(row.get(2))
        port = ports.get(number(name.rpartition(".")[2])) if name.startswith(_IF_ENTRY) else None
        holder = inventory.nearest(index[0])
        if port and holder:
            held.setdefault(port.ref, holder.ref)
    for port_ref, holder_ref in sorted(held.items()):
        yield Relation("contains", End(ref=port_ref), End(ref=holder_ref), evidence="entAliasMappingTable")


MIB = Mib("entity_mib", (PHYSICAL_TABLE, ALIAS_TABLE), parse)
