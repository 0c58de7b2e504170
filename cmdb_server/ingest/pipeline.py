"""A report becomes part of the graph: decode, compare with the last one of its scope, resolve, write. One transaction,
one revision, one entry in the history.

Cost follows the change. A content that is the last one's writes only its time; of a changed one only the observations
whose bytes are new are decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cmdb_schemas.ci_class import CIClass, classes
from cmdb_schemas.relations import relation_types
from cmdb_server.ingest import apply, cluster, counts, decode, ends, items, late, leaving, log, reach, samples, watching
from cmdb_server.ingest.accepted import Accepted, admitted, invalid
from cmdb_server.ingest.batch import Batch, Lane
from cmdb_server.ingest.caller import Caller, check_observation
from cmdb_server.ingest.fitting import check_values
from cmdb_server.ingest.sighting import Sighting, coverage, digest, read
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store, Writing


@dataclass(frozen=True, slots=True)
class Ack:
    """What the server answers to a report it has taken in. ``unchanged``: only its time was new. ``duplicate``: it had
    been taken in before, at ``revision``."""

    report: str
    revision: int
    durable_revision: int
    unchanged: bool = False
    duplicate: bool = False
    observations: int = 0


def ingest(store: Store, body: bytes, caller: Caller, now_ms: int, kinds: Mapping[str, CIClass] | None = None) -> Ack:
    """Take in one report. Raises Malformed, Invalid or Forbidden, and then nothing is stored."""
    accepted = admitted(body, caller, now_ms)
    if (known := store.read(lambda tx: _taken(tx, accepted.report.id))) is not None:
        return _duplicate(store, known, accepted)
    ack = store.write(lambda tx: take_in(tx, accepted, kinds or classes()))
    return replace(ack, durable_revision=max(ack.durable_revision, store.durable_revision()))


def _taken(tx: Reading, report: str) -> Row | None:
    return next(iter(tx.find(tables.REPORT, ("id",), [(report,)])), None)


def _duplicate(store: Store, row: Row, accepted: Accepted) -> Ack:
    """The same id again is the same report; a report of another agent or content under that id is refused."""
    agent, told = row[tables.REPORT.position("agent")], row[tables.REPORT.position("digest")]
    if agent != accepted.report.agent or told != accepted.digest:
        raise invalid("id", f"report {accepted.report.id!r} was delivered before with another content")
    return Ack(accepted.report.id, row[0], store.durable_revision(), duplicate=True)


def take_in(tx: Writing, accepted: Accepted, kinds: Mapping[str, CIClass]) -> Ack:
    """Take in an accepted report within a transaction."""
    report, origin = accepted.report, accepted.origin
    if (known := _taken(tx, report.id)) is not None:
        return Ack(report.id, known[0], 0, duplicate=True)
    reach.check_report(tx, accepted.at, accepted.received)
    batch = Batch(tx, kinds, dict(relation_types()), accepted.received)
    lanes = {row[1]: Lane(*row) for row in tx.find(tables.LANE, ("scope",), [(origin.scope,)])}
    batch.lanes.update({(origin.scope, part): lane for part, lane in lanes.items()})
    lane = lanes.get(report.scan.part)
    in_order = all(accepted.at >= other.observed_at for other in lanes.values())
    unchanged = in_order and lane is not None and lane.digest == accepted.digest
    unchanged = unchanged and lane is not None and not lane.lost and lane.observed_at < accepted.at
    unchanged = unchanged and lane is not None and not watching.is_due(lane, accepted.at)
    count = 0
    if unchanged and lane is not None:
        log.enter_report(batch, accepted)
        _advance(batch, lane, accepted)
    else:
        count = _take_changes(batch, accepted, lane, in_order=in_order)
    if in_order:
        leaving.close_scan(batch, accepted)
    for told in lanes.values():
        _look_again(batch, told)
    samples.enter(tx, accepted)
    settle(batch)
    return Ack(report.id, tx.revision, 0, unchanged=unchanged, observations=count)


def settle(batch: Batch) -> None:
    """From what the records say to CIs and relations, and to the store."""
    batch.enter()
    cluster.recluster(batch)
    gone = items.build(batch)
    touched = ends.resolve(batch)
    gone |= ends.keyed(batch)
    batch.tie_up()
    counts.count(batch, touched)
    batch.tx.delete(tables.CI, [(ci,) for ci in gone])
    batch.flush()


# What changed ----------------------------------------------------------------------------------------------------------


def _take_changes(batch: Batch, accepted: Accepted, lane: Lane | None, *, in_order: bool) -> int:
    """Take in a content that differs from the last one of its lane. Gives the number of observations read."""
    content = decode.content(bytes(accepted.report.content), accepted.body)
    sections = coverage(content.coverage)
    before = log.members(batch.tx, lane.digest) if lane is not None and lane.digest and in_order else {}
    raws = [bytes(raw) for raw in content.observations]
    digests = [digest(raw) for raw in raws]
    fresh: dict[bytes, Sighting] = {}
    again = watching.awaiting(batch, accepted.origin.scope, accepted.at)
    lost = again.union(lane.lost if lane is not None else ())
    for index, (raw, mark) in enumerate(zip(raws, digests, strict=True)):
        if mark not in before or before[mark] in lost:
            fresh[mark] = _read(accepted, batch, raw, mark, index)
    members = [(before.get(mark) or fresh[mark].thing.record, mark) for mark in digests]
    _check_distinct(members)
    log.store_content(batch.tx, accepted, content.coverage, members, dict(zip(digests, raws, strict=True)), fresh)
    log.enter_report(batch, accepted)
    batch.load(sighting.thing.record for sighting in fresh.values())
    if not in_order or (lane is not None and lane.observed_at == accepted.at):
        _overtaken(batch, accepted, lane, {record for record, _ in members})
        late.rebuild(batch, accepted.origin, {record for record, _ in members}, accepted.report.scan.id)
        return len(fresh)
    missing = set(before.values()) - {record for record, _ in members}
    _apply(batch, accepted, lane, list(fresh.values()), sections, missing, again)
    return len(fresh)


def _read(accepted: Accepted, batch: Batch, raw: bytes, mark: bytes, index: int) -> Sighting:
    seen = decode.observation(raw, index, accepted.body)
    path = f"content.observations[{index}]"
    if accepted.caller.grant is not None:
        check_observation(accepted.caller.grant, seen, path)
    check_values(seen, batch.kinds, path)
    for at, relation in enumerate(seen.relations):
        if relation.type not in batch.types:
            raise invalid(f"{path}.relations[{at}].type", f"unknown relation type {relation.type!r}")
    return read(seen, accepted.origin, batch.kinds, mark, path)


def _check_distinct(members: Iterable[tuple[str, bytes]]) -> None:
    met: dict[str, int] = {}
    for index, (record, _) in enumerate(members):
        if record in met:
            raise invalid(
                f"content.observations[{index}]",
                f"the same thing as observations[{met[record]}]: same place and identifiers",
            )
        met[record] = index


def _apply(
    batch: Batch, accepted: Accepted, lane: Lane | None, seen: list[Sighting], sections: Mapping[str, str],
    missing: set[str], again: set[str],
) -> None:  # fmt: skip
    """The usual case: nothing newer is known of the scope. A record seen elsewhere at the very same time is late."""
    part, at = accepted.report.scan.part, accepted.at
    known = [batch.records[s.thing.record] for s in seen if s.thing.record in batch.records]
    batch.load_lanes(known)
    late_ones = {held.id for held in known if batch.seen_last(held) >= at}
    prompt = [s for s in seen if s.thing.record not in late_ones]
    if lane is None:
        batch.lanes[(accepted.origin.scope, part)] = _lane(accepted, batch.tx.revision)
        batch.dirty_lanes.add((accepted.origin.scope, part))
    apply.apply(batch, prompt, accepted.origin, part, at, sections, again)
    if lane is not None:
        lane.lost = [id_ for id_ in lane.lost if id_ not in batch.records or batch.records[id_].last_at is not None]
        leaving.lose(batch, lane, missing)
        _advance(batch, lane, accepted)
    leaving.displace(batch, accepted, prompt)
    if late_ones:
        late.rebuild(batch, accepted.origin, late_ones, None)


def _overtaken(batch: Batch, accepted: Accepted, lane: Lane | None, members: set[str]) -> None:
    """A part that is late for its scan, a later part having come first, may still be the newest of its lane."""
    if lane is None:
        key = accepted.origin.scope, accepted.report.scan.part
        batch.lanes[key] = _lane(accepted, batch.tx.revision)
        batch.dirty_lanes.add(key)
    elif accepted.at > lane.observed_at:
        leaving.lose(
            batch, lane, (set(log.members(batch.tx, lane.digest).values()) if lane.digest else set()) - members
        )
        _advance(batch, lane, accepted)


def _lane(accepted: Accepted, revision: int) -> Lane:
    report, origin = accepted.report, accepted.origin
    return Lane(
        scope=origin.scope, part=report.scan.part, source=origin.source, site=origin.site, target=origin.target,
        probe=origin.probe, agent=report.agent, parts=report.scan.parts, scan=report.scan.id, digest=accepted.digest,
        observed_at=accepted.at, revision=revision, lost=[], contested=[], pending={},
    )  # fmt: skip


def _advance(batch: Batch, lane: Lane, accepted: Accepted) -> None:
    report = accepted.report
    lane.observed_at, lane.digest, lane.scan = accepted.at, accepted.digest, report.scan.id
    lane.agent, lane.parts, lane.revision = report.agent, report.scan.parts, batch.tx.revision
    batch.dirty_lanes.add((lane.scope, lane.part))


def _look_again(batch: Batch, lane: Lane) -> None:
    """What this sighting alone may have changed: who the contested are, which of their values wins, what they reach."""
    contested, lane.contested = lane.contested, []
    if not contested:
        return
    batch.dirty_lanes.add((lane.scope, lane.part))
    batch.load(contested)
    batch.seeds.update(contested)
    batch.listening.update(contested)  # whoever names an entry of theirs may mean another now
    for id_ in contested:
        batch.stale_cis.update(held.ci for held in (batch.records[id_], *batch.descendants(id_)))
    for row in batch.tx.find(tables.TIE, ("record",), [(id_,) for id_ in contested]):
        batch.stale_ties.add((row[0], row[1]))
