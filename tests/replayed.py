"""A past state computed the long way: the whole log until then, taken in anew. What rewinding gives must equal it."""

from __future__ import annotations

from collections.abc import Iterator

from cmdb_schemas.relations import relation_types
from cmdb_server.answers.history import Graph, PastRecord
from cmdb_server.ingest import cluster, counts, ends, items, replay, tenure
from cmdb_server.ingest.batch import Batch, Held
from cmdb_server.ingest.sighting import Kinds
from cmdb_server.ingest.since import Then
from cmdb_server.model.presence import Run
from cmdb_server.store import tables
from cmdb_server.store.digest import pages
from cmdb_server.store.draft import Draft
from cmdb_server.store.port import Reading


def replayed(tx: Reading, then: Then, kinds: Kinds, now: int) -> Graph:
    """The graph of ``then``, from the log alone but for who is who."""
    past = replay.blank(tx, filter(then.counts, pages(tx, tables.REPORT)), then.revision)
    past.put(tables.DECISION, filter(then.decided, pages(tx, tables.DECISION)))
    batch = Batch(past, kinds, dict(relation_types()), now)
    replay.observe(batch, past)
    _place(batch, tx, past, then)
    past.put(tables.LANE, [lane.row() for lane in batch.lanes.values()])
    batch.enter()
    batch.stale_cis = {held.ci for held in batch.records.values()}
    items.build(batch)
    touched = ends.resolve(batch)
    ends.keyed(batch)
    batch.tie_up()
    counts.count(batch, touched)
    records = {
        held.id: PastRecord(held.ci, held.site, _run(batch, held), held.source, held.attributes)
        for held in batch.records.values()
    }
    cis = {row[0]: row for row in past.rows(tables.CI)}
    return Graph(cis, [*past.rows(tables.RELATION)], records, then.revision, kinds)


def _place(batch: Batch, tx: Reading, past: Draft, then: Then) -> None:
    """Every record in the CI that was known to hold it; of those that several held in turn, in that of the time."""
    ci_of = {record: ci for record, known, ci in pages(tx, tables.MEMBERSHIP) if known <= then.revision}
    for id_, held in batch.records.items():
        held.ci = ci_of.get(id_, held.ci)
    _keep(batch, past)
    lent = {row[2] for row in tx.find(tables.IDENTIFIER, ("kind",), [(tenure.HELD,)])} & batch.records.keys()
    for id_, course in tenure.known(tx, lent, then.revision).items():
        holder = tenure.holder(course, then.until)
        if holder is not None:
            batch.place(batch.records[id_], ci_of.get(holder, holder))
    if batch.moved:
        _keep(batch, past)
        cluster.place_components(batch, {*batch.moved.values(), *(batch.records[id_].ci for id_ in batch.moved)})
        _keep(batch, past)


def _keep(batch: Batch, past: Draft) -> None:
    past.put(tables.RECORD, [held.row() for held in batch.records.values()])


def _run(batch: Batch, held: Held) -> Run:
    ended = [one.ended_at for one in _lineage(batch, held) if one.ended_at is not None]
    return Run(held.first_at, batch.seen_last(held), min(ended, default=None))


def _lineage(batch: Batch, held: Held) -> Iterator[Held]:
    """A component's record, then those of what it depends on."""
    yield held
    while held.parent:
        held = batch.records[held.parent]
        yield held
