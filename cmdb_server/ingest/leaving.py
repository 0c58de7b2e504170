"""Who is not there any more: what a lane no longer confirms, whoever had to leave an address, and, once a scan is
complete, what it did not see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from cmdb_server.ingest import apply, late
from cmdb_server.ingest.accepted import Accepted
from cmdb_server.ingest.batch import Batch, Lane
from cmdb_server.ingest.log import is_whole, members
from cmdb_server.ingest.sighting import Origin, Sighting
from cmdb_server.ingest.watching import watch
from cmdb_server.model.displacement import Witness, displaces


def lose(batch: Batch, lane: Lane, missing: set[str]) -> None:
    """Records that the lane's last report held and this one does not are no longer confirmed by it."""
    batch.load(missing)
    for id_ in sorted(missing):
        held = batch.records[id_]
        if held.part != lane.part:
            continue
        if held.last_at is None:
            held.last_at = lane.observed_at
            batch.dirty.add(id_)
        if (held.ended_at is None or held.ended_at > lane.observed_at) and id_ not in lane.lost:
            lane.lost.append(id_)


def displace(batch: Batch, accepted: Accepted, seen: Sequence[Sighting]) -> None:
    """Whoever answered at an address before is not there any more, even if the scan was only partial. The same machine
    seen there in another scope, by a sweep that overlaps with this one, drives nobody away."""
    origin, things = accepted.origin, {s.thing.record for s in seen}
    places = {(origin.source, origin.site, s.target) for s in seen if "@address" in s.thing.identifiers}
    if not places:
        return
    known = [h for h in batch.at_targets(places) if not h.parent and h.id not in things and "@address" in h.identifiers]
    met = Counter(s.target for s in seen) + Counter({h.target: 1 for h in known})
    there: dict[str, dict[str, Witness]] = {}
    for s in seen:
        if met[s.target] > 1 and "@address" in s.thing.identifiers:
            there.setdefault(s.target, {})[s.thing.record] = batch.witness(batch.records[s.thing.record])
    others = {h.id: driving for h in known if (driving := _driving(there[h.target], batch.witness(h)))}
    batch.load_lanes([batch.records[id_] for id_ in others])
    disputed: set[str] = set()
    # Two at one address at one moment: whoever is seen there next drives the other away.
    rivals = {id_ for some in there.values() for one in some.values() for id_ in _driving(some, one)}
    for id_, driving in others.items():
        other = batch.records[id_]
        if batch.seen_last(other) > accepted.at or (other.ended_at or 0) > accepted.at:
            disputed.add(other.target)
        elif other.ended_at is None:
            if batch.seen_last(other) < accepted.at:
                apply.end(batch, other, accepted.at)
            else:
                rivals |= driving
            watch(batch, other)
    for id_ in sorted(rivals):
        watch(batch, batch.records[id_])
    if disputed:
        # Another scope has told later things of these addresses already.
        late.rebuild(batch, origin, {s.thing.record for s in seen if s.target in disputed}, None)


def _driving(there: Mapping[str, Witness], other: Witness) -> set[str]:
    """Those who drive another from their address."""
    return {id_ for id_, one in there.items() if displaces(one, other)}


def close_scan(batch: Batch, accepted: Accepted) -> None:
    """Once all parts of a scan are there and all of them complete, what it did not see is gone."""
    scan, scope = accepted.report.scan, accepted.origin.scope
    lanes = [lane for (at, _), lane in batch.lanes.items() if at == scope]
    current = [lane for lane in lanes if lane.scan == scan.id and lane.part <= scan.parts]
    former = [lane for lane in lanes if lane.part > scan.parts]
    if len(current) < scan.parts or not (former or any(lane.lost for lane in lanes)):
        return
    if not all(is_whole(batch.tx, lane.digest) for lane in current):
        return
    start = min(lane.observed_at for lane in current)
    for lane in former:
        _empty(batch, lane)
    for lane in lanes:
        if lane.lost:
            _end_lost(batch, accepted.origin, lane, start)


def _end_lost(batch: Batch, origin: Origin, lane: Lane, start: int) -> None:
    """End what a lane no longer confirms. Who had to leave its address later than this scan left before that."""
    lost, lane.lost = lane.lost, []
    batch.dirty_lanes.add((lane.scope, lane.part))
    batch.load(lost)
    told: set[str] | None = None
    for id_ in lost:
        held = batch.records[id_]
        if held.last_at is None or held.last_at >= start:
            # Seen by this very scan: what is watched, or was driven away since, is to be read the next time too, unless
            # it is another part alone by now that confirms it.
            moved = held.part != lane.part and held.ended_at is None
            if moved and told is None:
                told = set(members(batch.tx, lane.digest).values()) if lane.digest else set()
            moved = moved and id_ not in (told or ())
            if not moved and (held.last_at is None or held.ended_at is not None):
                lane.lost.append(id_)
            continue
        if held.ended_at is None:
            apply.end(batch, held, start)
        elif held.ended_at > start:
            late.rebuild(batch, origin, {id_}, None)


def _empty(batch: Batch, lane: Lane) -> None:
    """A part that the scope no longer has confirms nothing any more."""
    held_there = members(batch.tx, lane.digest).values() if lane.digest else ()
    batch.load(held_there)
    for id_ in held_there:
        held = batch.records[id_]
        if held.part == lane.part and held.last_at is None:
            held.last_at = lane.observed_at
            batch.dirty.add(id_)
            lane.lost.append(id_)
    lane.digest = ""
    batch.dirty_lanes.add((lane.scope, lane.part))
