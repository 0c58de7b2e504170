"""Reads one device over SNMP and makes one observation of it: MIBs say what there is, its profile what it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import msgspec

from cmdb_agent.interface_index import BRIDGE_PORTS
from cmdb_agent.mibs import mibs, vmware
from cmdb_agent.observation import (
    Component,
    Coverage,
    CoverageStatus,
    Fact,
    HostFacts,
    Observation,
    Relation,
    Sample,
    SnmpTransport,
    Value,
    Walk,
)  # fmt: skip
from cmdb_agent.probe import Mib
from cmdb_agent.profile import Profile, Profiles, profiles
from cmdb_agent.smi import OID, Walks, number, oid, rows, scalar, text
from cmdb_schemas.address import ip_address
from cmdb_schemas.ci_class import classes

REF = "device"
_SYS_DESCR, _SYS_OBJECT_ID, _SYS_SERVICES = (oid(f"1.3.6.1.2.1.1.{arc}.0") for arc in (1, 2, 7))
_IP_FORWARDING = oid("1.3.6.1.2.1.4.1")
_FORWARDS = 1
_LAYER_2, _LAYER_3, _APPLICATIONS = 1 << 1, 1 << 2, 1 << 6
_AT_ONCE = 10
"""OIDs in one GET: as many as every agent fits into one message."""
_FIRST = ("system", "entity_mib")
"""Whose attributes count before those of other MIBs."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from one device: the walks by root, and the facts of the profile that fits it."""

    walks: Mapping[OID, Walk]
    facts: HostFacts
    profile: str


def read_device(transport: SnmpTransport, known: Profiles | None = None) -> Reading:
    """Walks everything there is a MIB for, and reads what the device's profile asks for. Raises ``TransportError``
    when the device does not answer at all; a table that fails is part of the reading."""
    profile = _profile(transport, known or profiles())
    walks: dict[OID, Walk] = {}
    for root in _roots(profile):
        walks[root] = transport.walk(root)
    scalars = [name for name in profile.oids if name[-1] == 0 and not _is_read(name, walks)]
    for name, value in _get(transport, [*scalars, (*_IP_FORWARDING, 0)]).items():
        walks[name] = value
    return Reading(walks, profile.read(walks), profile.name)


def device_observation(
    walks: Walks, facts: HostFacts, address: str
) -> tuple[Observation, list[Coverage], list[Sample]]:
    """One observation of the device with all that hangs on it, how much of each MIB was read, and what moves.

    ``facts`` are the profile's; they count before what the MIBs say. An unchanged device gives an equal observation.
    """
    found = {mib.name: list(mib.parse(walks)) for mib in _ordered()}
    said = [("profile", facts), *((name, fact) for name, fact in _each(found) if isinstance(fact, HostFacts))]
    class_ = next((fact.class_ for _, fact in said if fact.class_), None) or _class_by_services(walks)
    attributes, sections = _attributes(said, class_, address)
    observation = Observation(
        ref=REF,
        class_=class_,
        address=address,
        identifiers=_identifiers(fact for _, fact in said),
        attributes=attributes,
        sections=sections,
        components=_components(found),
        relations=_relations(found),
    )
    return observation, _coverage(walks), _samples(found)


def guests(walks: Walks, address: str) -> list[Observation]:
    """The virtual machines that the device, a hypervisor, tells of."""
    return vmware.guests(walks, address)


# --- reading ---


def _profile(transport: SnmpTransport, known: Profiles) -> Profile:
    told = {varbind.oid: varbind.value for varbind in transport.get([_SYS_DESCR, _SYS_OBJECT_ID])}
    object_id, descr = _object_id(text(told.get(_SYS_OBJECT_ID))), text(told.get(_SYS_DESCR))
    wanted = {name for profile in known.candidates(object_id, descr) for name in profile.exists}
    present = _get(transport, sorted(wanted))
    return known.choose(object_id, descr, present)


def _object_id(dotted: str) -> OID:
    """sysObjectID; a device without one still is some device, so that the most general profile fits."""
    arcs = dotted.strip(".").split(".")
    return tuple(map(int, arcs)) if len(arcs) > 1 and all(arc.isdecimal() for arc in arcs) else (0, 0)


def _roots(profile: Profile) -> list[OID]:
    own = [root for mib in mibs() for root in mib.roots]
    columns = [name for name in profile.oids if name[-1] != 0]
    roots: list[OID] = []
    for root in sorted({*own, *columns}):
        # In their order a root comes before all that lies below it.
        if not (roots and root[: len(roots[-1])] == roots[-1]):
            roots.append(root)
    return roots


def _is_read(name: OID, walks: Walks) -> bool:
    return any(name[: len(root)] == root for root in walks)


def _get(transport: SnmpTransport, names: Sequence[OID]) -> dict[OID, Walk]:
    """Each scalar that is there, as the walk of itself."""
    found: dict[OID, Walk] = {}
    for start in range(0, len(names), _AT_ONCE):
        for varbind in transport.get(names[start : start + _AT_ONCE]):
            found[varbind.oid] = Walk(varbind.oid, (varbind,), "complete")
    return found


# --- uniting ---


@cache
def _ordered() -> tuple[Mib, ...]:
    return tuple(
        sorted(mibs(), key=lambda mib: (mib.name not in _FIRST, _FIRST.index(mib.name) if mib.name in _FIRST else 0))
    )


def _each(found: Mapping[str, Sequence[Fact]]) -> Iterator[tuple[str, Fact]]:
    return ((name, fact) for name, facts in found.items() for fact in facts)


def _identifiers(facts: Iterable[HostFacts]) -> dict[str, list[str]]:
    united: dict[str, set[str]] = {}
    for fact in facts:
        for kind, values in fact.identifiers.items():
            united.setdefault(kind, set()).update(values)
    return {kind: sorted(united[kind]) for kind in sorted(united) if united[kind]}


def _attributes(
    said: Sequence[tuple[str, HostFacts]], class_: str, address: str
) -> tuple[dict[str, Value], dict[str, str]]:
    """The first that says something counts, and only what the class has; with the section that said it."""
    known = classes().get(class_)
    reached = ip_address(address)  # a device may be reached by its name
    united: dict[str, tuple[Value, str]] = {"ip_address": (reached, "system")} if reached else {}
    for section, fact in said:
        for name, value in fact.attributes.items():
            if value not in (None, "", [], {}):
                united.setdefault(name, (value, section))
    kept = [name for name in sorted(united) if known is None or known.attribute(name)]
    return {name: united[name][0] for name in kept}, {name: united[name][1] for name in kept}


def _components(found: Mapping[str, Sequence[Fact]]) -> list[Component]:
    """Several MIBs tell of one interface: their attributes are united, the first MIB owns it."""
    united: dict[str, Component] = {}
    for section, fact in _each(found):
        if not isinstance(fact, Component):
            continue
        known = united.get(fact.ref)
        if known is None:
            united[fact.ref] = msgspec.structs.replace(fact, section=section)
        else:
            united[fact.ref] = msgspec.structs.replace(
                known,
                parent=known.parent or fact.parent,
                identifiers={**fact.identifiers, **known.identifiers},
                attributes={**fact.attributes, **known.attributes},
            )
    return [_with_sorted_attributes(united[ref]) for ref in _parents_first(united)]


def _parents_first(components: Mapping[str, Component]) -> list[str]:
    """The refs in order, each after its parent's: a report whose components name what comes later is refused."""
    ordered: dict[str, None] = {}

    def add(ref: str, above: frozenset[str]) -> None:
        parent = components[ref].parent
        if parent in components and parent not in above:
            add(parent, above | {ref})
        ordered.setdefault(ref)

    for ref in sorted(components):
        add(ref, frozenset((ref,)))
    return list(ordered)


def _with_sorted_attributes(component: Component) -> Component:
    return msgspec.structs.replace(component, attributes=dict(sorted(component.attributes.items())))


def _relations(found: Mapping[str, Sequence[Fact]]) -> list[Relation]:
    united = {}
    for section, fact in _each(found):
        if isinstance(fact, Relation):
            relation = msgspec.structs.replace(fact, section=section)
            united[msgspec.json.encode(relation)] = relation
    return [united[key] for key in sorted(united)]


def _samples(found: Mapping[str, Sequence[Fact]]) -> list[Sample]:
    samples = [msgspec.structs.replace(fact, ref=REF) for _, fact in _each(found) if isinstance(fact, Sample)]
    return sorted(samples, key=lambda sample: (sample.component, sample.name))


def _coverage(walks: Walks) -> list[Coverage]:
    return [_covered(mib, [walks[root] for root in mib.roots if root in walks]) for mib in mibs()]


def _covered(mib: Mib, read: Sequence[Walk]) -> Coverage:
    """A MIB is as complete as the worst of its tables. One that the device does not have is answered for, too."""
    for walk in read:
        if walk.status != "complete":
            return Coverage(mib.name, walk.status, f"{'.'.join(map(str, walk.root))}: {walk.detail}")
    status: CoverageStatus = "complete" if any(walk.varbinds for walk in read) else "unsupported"
    return Coverage(mib.name, status)


def _class_by_services(walks: Walks) -> str:
    """What a device is that no profile knows, by the layers it serves (sysServices) and whether it forwards."""
    services = number(scalar(walks, _SYS_SERVICES[:-1])) or 0
    forwards = number(scalar(walks, _IP_FORWARDING)) == _FORWARDS
    if len(rows(walks, BRIDGE_PORTS)) > 1 or (services & _LAYER_2 and not services & _LAYER_3):
        return "switch"
    if services & _LAYER_3 and forwards:
        return "router"
    if services & _APPLICATIONS:
        return "server"
    return "unknown_device"
