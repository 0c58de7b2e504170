"""SNMPv2-MIB's system group and SNMP-FRAMEWORK-MIB's engine: what a device says it is."""

from __future__ import annotations

from collections.abc import Iterator

from cmdb_agent.component import told
from cmdb_agent.observation import Fact, HostFacts, Sample, Value
from cmdb_agent.probe import Mib
from cmdb_agent.smi import Raw, Walks, number, oid, scalar, text

SYSTEM = oid("1.3.6.1.2.1.1")
ENGINE = oid("1.3.6.1.6.3.10.2.1")
_DESCR, _OBJECT_ID, _UPTIME, _CONTACT, _NAME, _LOCATION, _SERVICES = ((*SYSTEM, arc) for arc in range(1, 8))
_ENGINE_ID = (*ENGINE, 1)


def parse(walks: Walks) -> Iterator[Fact]:
    name = text(scalar(walks, _NAME))
    identifiers = {
        "name": [name] if name else [],
        "engine_id": _engine_id(scalar(walks, _ENGINE_ID)),
        "sys_object_id": _object_id(scalar(walks, _OBJECT_ID)),
    }
    yield HostFacts({kind: values for kind, values in identifiers.items() if values}, _attributes(walks, name))
    if (ticks := number(scalar(walks, _UPTIME))) is not None:
        yield Sample("", "system.uptime", ticks / 100, "s")


def _attributes(walks: Walks, name: str) -> dict[str, Value]:
    engine = _engine_id(scalar(walks, _ENGINE_ID))
    return told(
        {
            "name": name,
            "fqdn": name if "." in name.strip(".") else None,
            "system_description": text(scalar(walks, _DESCR)),
            "system_object_id": text(scalar(walks, _OBJECT_ID)),
            "system_contact": text(scalar(walks, _CONTACT)),
            "system_location": text(scalar(walks, _LOCATION)),
            "system_services": number(scalar(walks, _SERVICES)),
            "snmp_engine_id": engine[0] if engine else None,
        }
    )


def _engine_id(value: Raw) -> list[str]:
    """RFC 3411: five to 32 octets, neither all zero nor all one. Shorter ones are alike on every device of a maker."""
    if not isinstance(value, bytes) or not 5 <= len(value) <= 32 or len(set(value)) == 1:
        return []
    return [value.hex()]


def _object_id(value: Raw) -> list[str]:
    """Not of agents that run on anything: theirs names the agent, not the device."""
    name = text(value)
    generic = ("1.3.6.1.4.1.8072.3.2.", "1.3.6.1.4.1.311.1.1.3.", "0.0")
    return [] if not name or name.startswith(generic) else [name]


MIB = Mib("system", (SYSTEM, ENGINE), parse)
