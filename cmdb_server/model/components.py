"""Which records may have to do with each other: those joined by trusted values, directly or through others.

Names alone never join. Everything identity decides is a function of one component, so that work is local.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cmdb_server.model.decisions import Decision
from cmdb_server.model.normalise import host_labels
from cmdb_server.model.record import Record, Value
from cmdb_server.model.weighing import Weights, shipped

NATIVE, PLACE, PLACE_NAME = "native", "place", "place_name"
"""Kinds of the index that are no identifiers: (source, native key), (site, address), (site, address, host name)."""
CALLED, WEAK, VOID = "called", "weak", "void"
"""Kinds of the index that say what was found out: a full name that people declared, (site, address) of a record that
proves nothing although it bears evidence, and a value that identifies nothing."""


def hosts(record: Record) -> list[str]:
    """The first labels of its names and fqdns."""
    return sorted(host_labels(record.identifiers))


def full_names(record: Record) -> list[str]:
    """The names that tell it from others, by which a declared record is attached: full host names, or its name within
    its class."""
    identifiers = record.identifiers
    if record.naming == "class":
        return sorted({f"{record.class_}|{name}" for name in identifiers.get("name", ())})
    if record.naming == "nothing":
        return []
    names = (name for kind in ("name", "fqdn", "label") for name in identifiers.get(kind, ()))
    return sorted({name for name in names if "." in name})


def native_link(source: str, native_key: str) -> Value:
    """The key that the versions of one thing of a source with keys of its own share."""
    return NATIVE, f"{source} {native_key}"


def place(record: Record) -> Value | None:
    """The place a record was seen at: what a weak record is attached by (``attachment.owner``)."""
    return (PLACE, f"{record.site} {record.address}") if record.address else None


def link_keys(record: Record, weights: Weights | None = None) -> tuple[Value, ...]:
    """The (kind, value) keys by which records join a component, void ones included: leave those out when searching."""
    strong = (weights or shipped()).strong
    keys = [(kind, value) for kind, values in record.identifiers.items() if kind in strong for value in values]
    if record.native_key is not None:
        keys.append(native_link(record.source, record.native_key))
    if record.address:
        keys += [(PLACE_NAME, f"{record.site} {record.address} {host}") for host in hosts(record)]
    return tuple(keys)


def voids(kind: str, holders: Iterable[Record], weights: Weights | None = None) -> bool:
    """Whether a value of ``kind`` held by these records identifies nothing: together they bear more than 64 distinct
    values of another hardware kind. Ask it with all holders, ended ones too."""
    weights = weights or shipped()
    seen: dict[str, set[str]] = {}
    for record in holders:
        for other, values in record.identifiers.items():
            if other != kind and other in weights.hardware:
                distinct = seen.setdefault(other, set())
                distinct.update(values)
                if len(distinct) > weights.void:
                    return True
    return False


def void_values(records: Iterable[Record], weights: Weights | None = None) -> frozenset[Value]:
    """All void values of a set of records."""
    weights = weights or shipped()
    holders: dict[Value, list[Record]] = {}
    for record in records:
        for kind, values in record.identifiers.items():
            if kind in weights.strong:
                for value in values:
                    holders.setdefault((kind, value), []).append(record)
    return frozenset(value for value, held in holders.items() if len(held) > 1 and voids(value[0], held, weights))


def components(
    records: Sequence[Record],
    decisions: Iterable[Decision] = (),
    weights: Weights | None = None,
    void: frozenset[Value] = frozenset(),
) -> list[list[Record]]:
    """All components of a set of records, merges of people included; the batch counterpart of searching an index."""
    weights = weights or shipped()
    parent = list(range(len(records)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    first: dict[Value, int] = {}
    for i, record in enumerate(records):
        for key in link_keys(record, weights):
            if key not in void:
                parent[root(i)] = root(first.setdefault(key, i))
    at = {record.id: i for i, record in enumerate(records)}
    for ids in anchors(decisions):
        known = [at[id_] for id_ in ids if id_ in at]
        for i in known[1:]:
            parent[root(i)] = root(known[0])
    found: dict[int, list[Record]] = {}
    for i, record in enumerate(records):
        found.setdefault(root(i), []).append(record)
    return list(found.values())


def anchors(decisions: Iterable[Decision]) -> list[tuple[str, ...]]:
    """The record ids that each merge ties together."""
    return [tuple(id_ for side in d.sides for id_ in side) for d in decisions if d.verb == "merge"]
