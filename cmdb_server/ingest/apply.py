"""A sighting that is newer than everything known of its record: what changed is written, what did not is left alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from cmdb_server.ingest import ends, watching
from cmdb_server.ingest.batch import PORT_NAMING, Batch, Held, Tie
from cmdb_server.ingest.entries import entries, takes_back
from cmdb_server.ingest.sighting import Claim, Origin, Said, Sighting, is_complete
from cmdb_server.store import tables
from cmdb_server.store.port import Row

TRAFFIC = "connections"
"""The section of claims that come from sockets: one that is not seen for a while is not therefore gone."""
TRAFFIC_FORGOTTEN_MS = 30 * 86_400_000
LISTENS = "listens"
PRESENCE = ""
"""The attribute under which a record's presence is kept among its facts."""


def apply(
    batch: Batch, sightings: Iterable[Sighting], origin: Origin, part: int, at: int, sections: Mapping[str, str],
    again: Collection[str] = (),
) -> None:  # fmt: skip
    """Take in sightings at ``at`` (ms), each newer than all that is known of its record. ``again``: records whose
    sighting may end something even if it is what was told before."""
    seen = list(sightings)
    known = [s.thing.record for s in seen if s.thing.record in batch.records]
    same = {s.thing.record for s in seen if s.thing.record in batch.records and _same(batch, s)}.difference(again)
    changed = [id_ for id_ in known if id_ not in same]
    batch.components(known)
    borne = _borne(batch, changed)
    ties = _ties(batch, changed)
    for sighting in seen:
        held = batch.records.get(sighting.thing.record)
        if held is None:
            _begin(batch, sighting, origin, part, at)
        elif held.id in same:
            _resume(batch, held, part, at)
        else:
            _update(batch, held, sighting, part, at, sections, borne, ties.get(held.id, {}))


def _same(batch: Batch, sighting: Sighting) -> bool:
    return batch.records[sighting.thing.record].evidence == sighting.digest.hex()


Borne = dict[str, dict[tuple[str, str], Row]]


def _borne(batch: Batch, records: list[str]) -> Borne:
    """record -> what it and its components are entered under."""
    wanted = [(id_,) for record in records for id_ in (record, *(held.id for held in batch.descendants(record)))]
    found: Borne = {}
    for row in batch.tx.find(tables.IDENTIFIER, ("record",), wanted) if wanted else ():
        found.setdefault(row[2], {})[(row[0], row[1])] = row
    return found


def _ties(batch: Batch, records: list[str]) -> dict[str, dict[str, Tie]]:
    found: dict[str, dict[str, Tie]] = {}
    for row in batch.tx.find(tables.TIE, ("record",), [(record,) for record in records]) if records else ():
        tie = batch.ties.setdefault((row[0], row[1]), Tie(*row))
        found.setdefault(tie.record, {})[tie.key] = tie
    return found


# A thing not seen before -----------------------------------------------------------------------------------------------


def _begin(batch: Batch, sighting: Sighting, origin: Origin, part: int, at: int) -> None:
    thing = sighting.thing
    held = _create(batch, thing, origin, sighting.target, part, at)
    held.evidence = sighting.digest.hex()
    batch.seeds.add(held.id)
    for said in sighting.components:
        _create(batch, said, origin, sighting.target, part, at)
    for claim in sighting.claims:
        _new_tie(batch, held.id, claim, at)


def _create(batch: Batch, said: Said, origin: Origin, target: str, part: int, at: int) -> Held:
    held = Held(
        id=said.record, source=origin.source, site=origin.site, target=target, native_key=said.native_key,
        class_=said.class_, evidence="", parent=said.parent, local_key=said.local_key, section=said.section, ci="",
        scope=origin.scope, part=part, first_at=at, last_at=None, ended_at=None,
        attributes={name: [value, at, None] for name, value in said.attributes.items()},
        identifiers={kind: list(values) for kind, values in said.identifiers.items()},
    )  # fmt: skip
    batch.create(held)
    batch.fact(held.id, PRESENCE, at, 1)
    for name, value in said.attributes.items():
        batch.fact(held.id, name, at, value)
    batch.bear(said, entries(batch, held, said), at)
    return held


def _new_tie(batch: Batch, record: str, claim: Claim, at: int) -> None:
    value = dict(claim.value)
    tie = Tie(record, claim.key, value["type"], value["near"], claim.far, value, claim.section, at, None, None, None)
    batch.ties[(record, claim.key)] = tie
    batch.dropped_ties.pop((record, claim.key), None)
    batch.stale_ties.add((record, claim.key))
    batch.claim(record, claim.key, at, claim.far, value)


# A thing known before --------------------------------------------------------------------------------------------------


def _resume(batch: Batch, held: Held, part: int, at: int) -> int:
    """Confirm the record again. Gives when it had been seen last."""
    last = batch.seen_last(held)
    if held.ended_at is not None:
        batch.fact(held.id, PRESENCE, at, 1)
        revive(batch, held)
    if held.part != part:
        watching.move(batch, held, part)
        batch.dirty.add(held.id)
    if held.last_at is not None:
        held.last_at = None
        batch.dirty.add(held.id)
    return last


def revive(batch: Batch, held: Held) -> None:
    """The record is there again, and so may be what depends on it."""
    held.ended_at = None
    _owns_otherwise(batch, held)
    batch.dirty.add(held.id)
    batch.seeds.add(held.id)
    batch.recount.add(held.ci)
    _stale(batch, held)


def end(batch: Batch, held: Held, at: int) -> None:
    """The record is gone since ``at``, having been seen until its last sighting."""
    last = batch.seen_last(held)
    held.last_at, held.ended_at = last, at
    _owns_otherwise(batch, held)
    batch.fact(held.id, PRESENCE, at, [0, last])
    batch.dirty.add(held.id)
    if not held.parent:
        batch.seeds.add(held.id)
        batch.recount.add(held.ci)
    _stale(batch, held)


def _owns_otherwise(batch: Batch, held: Held) -> None:
    """Whose an address is depends on whether the group that has it is there."""
    if batch.is_group(held):
        batch.listening.add(held.id)


def _stale(batch: Batch, held: Held) -> None:
    batch.stale_cis.update(below.ci for below in (held, *batch.descendants(held.id)) if below.ci)


def _update(
    batch: Batch, held: Held, sighting: Sighting, part: int, at: int, sections: Mapping[str, str],
    borne: Borne, ties: dict[str, Tie],
) -> None:  # fmt: skip
    last = _resume(batch, held, part, at)
    held.evidence = sighting.digest.hex()
    batch.dirty.add(held.id)
    _say(batch, held, sighting.thing, at, last, borne.get(held.id, {}))
    _components(batch, held, sighting, at, last, sections, borne)
    _reclaim(batch, held, sighting.claims, ties, at, last, sections)
    lacking = (tie for key, tie in ties.items() if (held.id, key) in batch.ties and tie.last_at is not None)
    watching.await_ends(batch, held, dues(batch.descendants(held.id), lacking))


def dues(parts: Iterable[Held], ties: Iterable[Tie]) -> Iterator[int]:
    """From when on a further sighting may end these parts and claims, which the last one lacked (``Lane.pending``)."""
    for part in parts:
        if part.last_at is not None and part.ended_at is None:
            yield watching.MORE_COMPLETE
    for tie in ties:
        if tie.last_at is not None:
            yield tie.last_at + TRAFFIC_FORGOTTEN_MS if tie.section == TRAFFIC else watching.MORE_COMPLETE


def bears(batch: Batch, held: Held, said: Said) -> None:
    """Take over the evidence as it reads now. The raw identifiers are the record's key and stay; what they are worth
    may depend on what else is told, as a serial number's maker is."""
    now = {kind: list(values) for kind, values in said.identifiers.items()}
    if now != held.identifiers:
        held.identifiers = now
        batch.dirty.add(held.id)
        if not held.parent:
            batch.seeds.add(held.id)


def _say(batch: Batch, held: Held, said: Said, at: int, last: int, borne: Mapping[tuple[str, str], Row]) -> None:
    """Take in what one record says now. An attribute that is not told keeps its value and its last confirmation."""
    bears(batch, held, said)
    mine, changed = held.attributes, False
    for name, value in said.attributes.items():
        known = mine.get(name)
        if known is None or known[0] != value or type(known[0]) is not type(value):
            mine[name] = [value, at, None]
            batch.fact(held.id, name, at, value)
            changed = True
        elif known[2] is not None:
            known[2], changed = None, True
    for name, known in list(mine.items()):
        if known[2] is None and name not in said.attributes:
            known[2], changed = last, True
            if takes_back(held.source):
                del mine[name]
                batch.fact(held.id, name, at, None)
    if changed:
        batch.dirty.add(held.id)
        batch.stale_cis.add(held.ci)
    _reenter(batch, held, said, at, last, borne)


def _reenter(batch: Batch, held: Held, said: Said, at: int, last: int, borne: Mapping[tuple[str, str], Row]) -> None:
    now = entries(batch, held, said)
    for kind, value in now:
        row = borne.get((kind, value))
        if row is None or row[4] is not None:
            first = at if row is None else min(at, row[3])
            batch.index[(kind, value, held.id)] = (kind, value, held.id, first, None)
            batch.wake(kind, value)
            if kind == "listens":
                batch.listening.add(value.partition("|")[0])
    for (kind, value), row in borne.items():
        if row[4] is None and (kind, value) not in now:
            batch.index[(kind, value, held.id)] = (*row[:4], last)
            batch.wake(kind, value)
            if kind == "listens":
                batch.listening.add(value.partition("|")[0])


def _components(
    batch: Batch, held: Held, sighting: Sighting, at: int, last: int, sections: Mapping[str, str], borne: Borne
) -> None:
    told = {said.record: said for said in sighting.components}
    below = {part.id: part for part in batch.descendants(held.id)}
    met = _met(batch, held)
    origin = Origin(held.source, held.site, held.target, "", held.scope)
    for said in sighting.components:
        part = below.get(said.record)
        if part is None:
            _create(batch, said, origin, held.target, held.part, at)
            batch.stale_cis.add(held.ci)
            batch.seeds.add(held.id)
            continue
        before = last if part.last_at is None else part.last_at
        if part.ended_at is not None:
            batch.fact(part.id, PRESENCE, at, 1)
            part.ended_at = None
            _stale(batch, part)
        if part.last_at is not None or part.section != said.section:
            part.last_at, part.section = None, said.section
            batch.dirty.add(part.id)
        _say(batch, part, said, at, before, borne.get(part.id, {}))
    for part in below.values():
        if part.id not in told and part.last_at is None and part.ended_at is None:
            part.last_at = last
            batch.dirty.add(part.id)
    for part in below.values():
        if part.id not in told and part.ended_at is None and is_complete(sections, part.section):
            end(batch, part, at)
    if _met(batch, held) != met:
        batch.listening.add(held.id)


def _met(batch: Batch, held: Held) -> dict[str, list[Any]]:
    """What others may call the parts of a thing that they meet, ports and listeners, and which of these are there."""
    return {
        part.id: [part.ended_at is None, *(part.attributes.get(name, (None,))[0] for name in (*PORT_NAMING, LISTENS))]
        for part in batch.descendants(held.id) if batch.is_port(part) or LISTENS in part.attributes
    }  # fmt: skip


def _reclaim(
    batch: Batch, held: Held, claims: Iterable[Claim], ties: dict[str, Tie], at: int, last: int,
    sections: Mapping[str, str],
) -> None:  # fmt: skip
    told = {claim.key for claim in claims}
    for claim in claims:
        tie = ties.get(claim.key)
        if tie is None:
            _new_tie(batch, held.id, claim, at)
            continue
        if tie.value != dict(claim.value):
            tie.value = dict(claim.value)
            ends.told_anew(batch, tie)
            batch.claim(held.id, claim.key, at, claim.far, tie.value)
            batch.stale_ties.add((held.id, claim.key))
        if tie.last_at is not None or tie.section != claim.section:
            tie.last_at, tie.section = None, claim.section
            batch.dirty_ties.add((held.id, claim.key))
    for key, tie in ties.items():
        if key in told:
            continue
        if tie.last_at is None:
            tie.last_at = last
            batch.dirty_ties.add((held.id, key))
        if is_complete(sections, tie.section) and (tie.section != TRAFFIC or at - tie.last_at > TRAFFIC_FORGOTTEN_MS):
            drop_tie(batch, tie, at)


def drop_tie(batch: Batch, tie: Tie, at: int) -> None:
    """The claim does not hold any longer."""
    batch.claim(tie.record, tie.key, at, tie.far, None)
    batch.dropped_ties[(tie.record, tie.key)] = tie
    batch.ties.pop((tie.record, tie.key), None)
    batch.stale_ties.add((tie.record, tie.key))
