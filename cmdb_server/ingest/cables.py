"""Links that are told less of than is known: one protocol tells both ports of a cable, another only the devices.

Where a link between ports is known, a claim about their devices, or about a port and a device, supports it and makes no
relation of its own; where several are, nobody can tell which it means.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cmdb_server.ingest.batch import Batch
from cmdb_server.store import tables
from cmdb_server.store.port import Row

Relation = tuple[str, str, str]


def with_devices(batch: Batch, touched: Collection[Relation]) -> set[Relation]:
    """With the links of these that tell of devices what ports may tell better: they bear on each other."""
    links = {relation for relation in touched if batch.types[relation[1]].symmetric}
    if not links:
        return set(touched)
    above = _parents(batch, {end for one, _, other in links for end in (one, other)})
    less = {
        (min(a, b), type_, max(a, b))
        for one, type_, other in links for a in (one, above[one]) for b in (other, above[other]) if a and b and a != b
    }  # fmt: skip
    return {*touched, *less}


def told_better(batch: Batch, relations: Iterable[Relation]) -> set[Relation]:
    """Those of these links, told of a device, that are one link between ports: the only one between the same."""
    links = {relation for relation in relations if batch.types[relation[1]].symmetric}
    above = _parents(batch, {end for one, _, other in links for end in (one, other)})
    devices = {link for link in links if not (above[link[0]] and above[link[2]])}
    if not devices:
        return set()
    between = _between_ports(batch, devices)
    return {link for link in devices if len(between.get(link, ())) == 1}


def _between_ports(batch: Batch, devices: Collection[Relation]) -> dict[Relation, set[Relation]]:
    """Link of a device -> the links between ports that it may be."""
    parts = batch.tx.find(tables.CI, ("parent",), {(end,) for one, _, other in devices for end in (one, other)})
    ends = {(end,) for one, _, other in devices for end in (one, other)} | {(row[0],) for row in parts}
    rows = {
        tuple(row[:2]): row for column in ("from_ci", "to_ci") for row in batch.tx.find(tables.TIE, (column,), ends)
    }
    told = [row for row in rows.values() if batch.types[row[2]].symmetric and row[9] and row[10]]
    silent = batch.silent({row[0] for row in told})
    carried = {_relation(row) for row in told if row[0] not in silent}
    above = _parents(batch, {end for one, _, other in carried for end in (one, other)})
    found: dict[Relation, set[Relation]] = {}
    for one, type_, other in carried:
        if above[one] and above[other]:
            for a in (one, above[one]):
                for b in (other, above[other]):
                    found.setdefault((min(a, b), type_, max(a, b)), set()).add((one, type_, other))
    return found


def _relation(row: Row) -> Relation:
    return row[9], row[2], row[10]


def _parents(batch: Batch, cis: Collection[str]) -> dict[str, str]:
    """CI -> the one that it is part of, or empty."""
    rows = batch.tx.get(tables.CI, [(ci,) for ci in cis])
    parent = tables.CI.position("parent")
    return {ci: rows[(ci,)][parent] if (ci,) in rows else "" for ci in cis}
