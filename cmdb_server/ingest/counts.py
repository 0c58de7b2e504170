"""Relations, from the claims that carry them: each once, however many hosts and scans tell of it."""

from __future__ import annotations

from collections.abc import Iterable

from cmdb_server.ingest import cables
from cmdb_server.ingest.batch import Batch
from cmdb_server.ingest.ends import Relation
from cmdb_server.ingest.items import contained
from cmdb_server.store import tables
from cmdb_server.store.port import Row

DEPENDS = "depends_on"


def count(batch: Batch, touched: Iterable[Relation]) -> None:
    """Write the relations of which a claim came, went or changed, and those that follow from a class: a claim may carry
    one of these as well."""
    wanted = sorted(cables.with_devices(batch, _with_hosts(batch, {*touched, *(row[:3] for row in batch.contained)})))
    if not wanted:
        return
    carried: dict[Relation, list[Row]] = {relation: [] for relation in wanted}
    for row in batch.tx.find(tables.TIE, ("from_ci", "type", "to_ci"), wanted):
        carried[(row[9], row[2], row[10])].append(row)
    silent = batch.silent({row[0] for ties in carried.values() for row in ties})
    for relation, ties in carried.items():
        carried[relation] = [row for row in ties if row[0] not in silent]
    counted = [relation for relation in wanted if carried[relation]]
    for relation in spoken_for(batch, counted) | cables.told_better(batch, counted):
        carried[relation] = []
    _write(batch, carried)


def _write(batch: Batch, carried: dict[Relation, list[Row]]) -> None:
    known = batch.tx.get(tables.RELATION, carried)
    rows, gone = list(batch.contained), []
    inherent = _inherent(batch, [relation for relation in carried if not carried[relation] and relation in known])
    for relation, ties in carried.items():
        old = known.get(relation)
        if not ties:
            if old is not None and relation not in inherent:
                gone.append(relation)
                batch.changed("relation", " ".join(relation), deleted=True)
            continue
        row = _relation(batch, relation, ties)
        if old is None or old[:-1] != row[:-1]:
            rows.append(row)
            batch.changed("relation", " ".join(relation))
    batch.tx.delete(tables.RELATION, gone)
    batch.tx.put(tables.RELATION, rows)


def _with_hosts(batch: Batch, touched: set[Relation]) -> set[Relation]:
    """An application's dependency bears on its host's: see ``spoken_for``."""
    ends = {from_ci for from_ci, type_, _ in touched if type_ == DEPENDS}
    parent = tables.CI.position("parent")
    above = {key[0]: row[parent] for key, row in batch.tx.get(tables.CI, [(ci,) for ci in ends]).items()}
    hosts = {(above[one], type_, to) for one, type_, to in touched if type_ == DEPENDS and above.get(one)}
    return touched | {relation for relation in hosts if relation[0] != relation[2]}


def spoken_for(batch: Batch, relations: Iterable[Relation]) -> set[Relation]:
    """Dependencies of a host of which an application on it is known to be the one that has them.

    A server knows its client only by address, and a host without rights its own sockets only by number: where the
    application is named by anyone, such a claim supports that relation and makes none of its own."""
    hosts = {relation for relation in relations if relation[1] == DEPENDS}
    below = batch.tx.find(tables.CI, ("parent",), {(host,) for host, _, _ in hosts})
    on: dict[str, list[str]] = {}
    for row in below:
        on.setdefault(row[tables.CI.position("parent")], []).append(row[0])
    named = {(one, type_, to): (host, type_, to) for host, type_, to in hosts for one in on.get(host, ())}
    told = batch.tx.find(tables.TIE, ("from_ci", "type", "to_ci"), named)
    silent = batch.silent({row[0] for row in told})
    return {named[(row[9], row[2], row[10])] for row in told if row[0] not in silent}


def _relation(batch: Batch, relation: Relation, ties: list[Row]) -> Row:
    values = [row[5] for row in ties]
    groups = sorted({value["group"] for value in values if value.get("group")})
    return (
        *relation, groups[0] if groups else None, max(value.get("weight", 1) for value in values),
        max(float(value.get("confidence", 1.0)) for value in values), min(row[7] for row in ties), len(ties),
        batch.tx.revision,
    )  # fmt: skip


def _inherent(batch: Batch, relations: Iterable[Relation]) -> set[Relation]:
    """Those that follow from a component's class, whoever claims them."""
    ends = {ci for from_ci, _, to_ci in relations for ci in (from_ci, to_ci)}
    rows = {row[0]: row for row in batch.tx.get(tables.CI, [(ci,) for ci in ends]).values()}
    found = set()
    for row in rows.values():
        if row[3] and (relation := contained(batch, row[0], row[3], row[1])) is not None:
            found.add(relation)
    return found
