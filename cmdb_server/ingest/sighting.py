"""An observation as the server keeps it: one record for the thing, one for each component, and what each says.

Pure: from the wire's words to the record's, nothing is looked up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec

from cmdb_schemas import report as wire
from cmdb_schemas.address import ip_address
from cmdb_schemas.attribute import canonical, is_spelt
from cmdb_schemas.ci_class import CIClass
from cmdb_server.errors import Invalid
from cmdb_server.model import ids, links
from cmdb_server.model.normalise import is_placeholder, is_stock_phrase, normalise

GROUP = "cluster"
"""The class, and those below it, of what several boxes make up: the address at which it is reached is its own."""
EVERYWHERE = "*"
"""The site of what people and imports tell."""
MADE = ("hardware", "module")
"""Classes of what has a maker, and those below them."""
PRINTED: Mapping[str, Callable[[str], bool]] = {
    "asset_tag": is_placeholder,
    **dict.fromkeys(
        ("manufacturer", "model_number", "hardware_version", "firmware_version", "bios_vendor", "bios_version",
         "bios_date", "baseboard_manufacturer", "baseboard_product", "chassis_type"), is_stock_phrase,
    ),
}  # fmt: skip
"""Attributes that a maker fills in, or leaves as a form left them, and when they say nothing. Serial numbers and uuids
stay as they were told: they are evidence, and whoever asks why two boxes are not one is shown what both bore."""
Index = tuple[str, str]
"""An entry of the inverted index: (kind, value)."""


@dataclass(slots=True)
class Said:
    """What one sighting says of one record. ``attributes`` holds no empty value; ``index`` what it can be found by.
    ``local_key``: of a component its key below its parent, of a thing what tells it from others at its target whatever
    the scope it was seen in."""

    record: str
    class_: str
    local_key: str = ""
    parent: str = ""
    section: str | None = None
    native_key: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    identifiers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    index: set[Index] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Claim:
    """A relation as one record claims it. ``value`` is what the CLAIM table keeps."""

    key: str
    far: str
    section: str | None
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sighting:
    """One observation of one scan: the thing, its components, and the claims made about them."""

    thing: Said
    components: tuple[Said, ...]
    claims: tuple[Claim, ...]
    digest: bytes
    target: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a report comes from. ``scope`` is the digest that tells scopes apart."""

    source: str
    site: str
    target: str
    probe: str
    scope: str

    @classmethod
    def of(cls, report: wire.Report) -> Origin:
        target, probe = report.scope.target, report.scope.probe
        parts = (report.source, report.site, target, probe)
        scope = hashlib.blake2b("\x00".join(parts).encode(), digest_size=16).hexdigest()
        return cls(report.source, report.site, target, probe, scope)


def digest(raw: bytes) -> bytes:
    """16 bytes that stand for an observation's own bytes."""
    return hashlib.blake2b(raw, digest_size=16).digest()


Kinds = Mapping[str, CIClass]


def read(seen: wire.Observation, origin: Origin, kinds: Kinds, raw_digest: bytes, path: str) -> Sighting:
    """The sighting of one observation. Raises Invalid for an unknown class, a stray ref or two equal components.

    A record belongs to its scope: the same thing seen in two scopes is two records, so that the end of one scope's
    sightings is decided by that scope alone.
    """
    class_ = _class(kinds, seen.class_, f"{path}.class")
    target = seen.address or seen.native_key or origin.target
    record = ids.record_id(
        origin.source,
        origin.site,
        seen.class_,
        seen.identifiers,
        target=f"{target}\x00{origin.scope}",
        native_key=None if seen.native_key is None else f"{seen.native_key}\x00{origin.scope}",
    )
    likeness = ids.record_id(
        origin.source, origin.site, seen.class_, seen.identifiers, target=target, native_key=seen.native_key
    )
    made = origin.site != EVERYWHERE  # what people enter stands as they wrote it
    thing = _said(record, class_, seen.attributes, seen.identifiers, made, local_key=likeness)
    thing.native_key = seen.native_key
    if seen.native_key is not None:
        thing.index.add(("native_key", f"{origin.source}|{seen.native_key}"))
    if seen.address is not None:
        address = ip_address(seen.address) or seen.address
        thing.identifiers["@address"] = (address,)
        thing.index.add(("address", f"{origin.site}|{address}"))
    if class_.identity == "declared" and isinstance(name := thing.attributes.get("name"), str):
        thing.index.add(("declared", f"{class_.name}|{name}"))
    components, refs = _components(seen, thing, origin, kinds, path)
    thing.index.update(links.called(thing.identifiers, origin.site))
    claims = {c.key: c for c in _claims(seen, refs, origin, kinds, path)}
    for claim in claims.values():
        thing.index.update((SOUGHT, name) for name in sought(claim.value, origin.site)[1:])
    return Sighting(thing, components, tuple(claims.values()), raw_digest, target)


def _class(kinds: Kinds, name: str, path: str) -> CIClass:
    found = kinds.get(name)
    if found is None:
        raise Invalid(f"{path}: unknown class {name!r}", errors=[{"path": path, "message": f"unknown class {name!r}"}])
    return found


def _said(
    record: str,
    class_: CIClass,
    attributes: Mapping[str, Any],
    identifiers: Mapping[str, list[str]],
    read_by_agent: bool,
    **more: Any,
) -> Said:
    kept = {name: value for name, value in attributes.items() if value not in (None, "", [], {})}
    if read_by_agent and kept.keys() & PRINTED and any(map(class_.is_a, MADE)):
        kept = {name: left for name, value in kept.items() if (left := _printed(name, value)) is not None}
    for name in kept.keys() & _spelt(class_):
        kept[name] = canonical(class_.attributes[name], kept[name])
    normal = normalise(identifiers, manufacturer=kept.get("manufacturer")) if identifiers else {}
    return Said(record, class_.name, attributes=kept, identifiers=normal, **more)


def _printed(name: str, value: Any) -> Any:
    """What is left of a value: what a maker left in its place says nothing, as it says nothing of who it is."""
    nothing = PRINTED.get(name)
    return None if nothing is not None and isinstance(value, str) and nothing(value) else value


@cache
def _spelt(class_: CIClass) -> frozenset[str]:
    """The attributes of the class whose values may be written in several ways."""
    return frozenset(name for name, attribute in class_.attributes.items() if is_spelt(attribute))


def _components(
    seen: wire.Observation, thing: Said, origin: Origin, kinds: Kinds, path: str
) -> tuple[tuple[Said, ...], dict[str, str]]:
    """The components' records, and ref -> record id; the thing itself has the refs ``""`` and its own."""
    refs = {"": thing.record, seen.ref: thing.record}
    found: dict[str, Said] = {}
    for at, part in enumerate(seen.components):
        where = f"{path}.components[{at}]"
        class_ = _class(kinds, part.class_, f"{where}.class")
        parent = refs.get(part.parent)
        if parent is None:
            raise Invalid(
                f"{where}.parent: no ref {part.parent!r} before it",
                errors=[{"path": f"{where}.parent", "message": f"no ref {part.parent!r} before it"}],
            )
        record = ids.component_id(parent, part.class_, part.local_key)
        said = _said(
            record,
            class_,
            part.attributes,
            part.identifiers,
            origin.site != EVERYWHERE,
            local_key=part.local_key,
            parent=parent,
            section=part.section,
        )
        if refs.setdefault(part.ref, record) != record or record in found:
            raise Invalid(
                f"{where}: a second component with this ref or local key",
                errors=[{"path": where, "message": "a second component with this ref or local key"}],
            )
        found[record] = said
        thing.index.update(_addresses(said.attributes, origin.site))
        said.index.update(_listeners(said.attributes, thing.record))
    thing.index.update(_addresses(thing.attributes, origin.site))
    if kinds[thing.class_].is_a(GROUP) and (floating := thing.attributes.get("ip_address")):
        thing.index.update(_addresses({"ip_addresses": [floating]}, origin.site))
    return tuple(found.values()), refs


def _addresses(attributes: Mapping[str, Any], site: str) -> Iterator[Index]:
    """What holds an address can be found by it. An address comes bare or with its prefix length."""
    held = attributes.get("ip_addresses")
    for address in held if isinstance(held, list) else ():
        bare = str(address).partition("/")[0].partition("%")[0]
        if bare and not bare.startswith(("127.", "169.254.", "fe80:")) and bare not in ("::1", "0.0.0.0", "::"):  # noqa: S104
            yield "address", f"{site}|{bare}"


def _listeners(attributes: Mapping[str, Any], thing: str) -> Iterator[Index]:
    """An application is found by its host's record and the port it listens on: ``tcp:0.0.0.0:8080``."""
    listens = attributes.get("listens")
    for listener in listens if isinstance(listens, list) else ():
        protocol, _, rest = str(listener).partition(":")
        yield "listens", f"{thing}|{protocol}|{rest.rpartition(':')[2]}"


def _claims(
    seen: wire.Observation, refs: Mapping[str, str], origin: Origin, kinds: Kinds, path: str
) -> Iterator[Claim]:
    for at, relation in enumerate(seen.relations):
        where = f"{path}.relations[{at}]"
        near, far, way = relation.from_, relation.to, "out"
        if near.ref is None:
            near, far, way = relation.to, relation.from_, "in"
        if near.ref is None or near.ref not in refs:
            raise _bad_end(where, "one end must be a ref of this observation")
        text = _far(far, refs, origin, kinds, where)
        value = {
            "type": relation.type,
            "way": way,
            "near": refs[near.ref],
            "far": text,
            "evidence": relation.evidence,
            "confidence": relation.confidence,
            "transient": relation.transient,
            "group": relation.group,
            "weight": relation.weight,
            **_details(far),
        }
        apart = [relation.type, way, refs[near.ref], text, str(far.port), str(far.protocol), str(relation.group)]
        ports = [sorted((far.identifiers or {}).get(kind, ())) for kind in links.PORT_KINDS]
        if any(ports):  # several cables, or one that two protocols tell of, may lead from here to the same device
            apart += [as_json(ports), relation.evidence]
        key = hashlib.blake2b("\x00".join(apart).encode(), digest_size=12).hexdigest()
        yield Claim(key, text, relation.section, value)


def _far(end: wire.End, refs: Mapping[str, str], origin: Origin, kinds: Kinds, path: str) -> str:
    """The far end in canonical text. Claims that wait for an end are found by it."""
    if end.ref is not None:
        if end.ref not in refs:
            raise _bad_end(path, f"no ref {end.ref!r}")
        return f"r:{refs[end.ref]}"
    if end.ci is not None:
        return f"ci:{end.ci}"
    if end.native_key is not None:
        return f"native_key:{origin.source}|{end.native_key}"
    if end.address is not None:
        return f"address:{origin.site}|{ip_address(end.address) or end.address}"
    if end.identifiers:
        if named := links.entries(end.identifiers, origin.site):
            return ":".join(named[0])
        raise _bad_end(path, "no usable identifier")
    if end.class_ is not None and end.key is not None:
        _class(kinds, end.class_, path)
        return f"key:{end.class_}|{end.key}"
    if end.class_ is not None and end.name is not None:
        _class(kinds, end.class_, path)
        return f"declared:{end.class_}|{end.name}"
    raise _bad_end(path, "an end needs ref, ci, native_key, address, identifiers, or class with key or name")


SOUGHT = "sought"
"""The kind of the index under which a far end finds the record that names it so, among other names."""


def sought(value: Mapping[str, Any], site: str) -> list[str]:
    """All that the far end of a claim is looked for by, strongest first, in canonical text."""
    named = [":".join(entry) for entry in links.entries(value.get("identifiers", {}), site)]
    return named if value["far"] in named[:1] else [value["far"]]


def _details(end: wire.End) -> dict[str, Any]:
    """What the far end says beyond the text it is found by."""
    told: dict[str, Any] = {}
    if end.port is not None:
        told["port"], told["protocol"] = end.port, end.protocol or "tcp"
    if end.class_ is not None:
        told["class"] = end.class_
    if end.attributes:
        told["attributes"] = dict(end.attributes)
    if end.identifiers:
        told["identifiers"] = {kind: list(values) for kind, values in end.identifiers.items()}
    return told


def _bad_end(path: str, message: str) -> Invalid:
    return Invalid(f"{path}: {message}", errors=[{"path": path, "message": message}])


def pack(members: Iterable[tuple[str, bytes]]) -> bytes:
    """The members of a content: 16 bytes of record id and 16 of digest each."""
    return b"".join(bytes.fromhex(record.replace("-", "")) + digest for record, digest in members)


def unpack(members: bytes) -> dict[bytes, str]:
    """Digest -> record id, of packed members."""
    return {members[at + 16 : at + 32]: _uuid(members[at : at + 16].hex()) for at in range(0, len(members), 32)}


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def coverage(told: Iterable[wire.Coverage]) -> dict[str, str]:
    """Section -> status."""
    return {entry.section: entry.status for entry in told}


SCOPE = "scope"
"""The section that tells whether everything within the scope was looked at."""


def is_complete(sections: Mapping[str, str], section: str | None) -> bool:
    """Whether absence from this section means something. Without an entry of its own a section is as complete as the
    whole scope, and the scope without an entry is complete when nothing in it failed."""
    if section is not None and section in sections:
        return sections[section] in ("complete", "unsupported")
    if SCOPE in sections:
        return sections[SCOPE] == "complete"
    return all(status in ("complete", "unsupported") for status in sections.values())


def as_json(value: Any) -> str:
    """Canonical text of a value, for comparing and sorting."""
    return msgspec.json.encode(value, order="sorted").decode()
