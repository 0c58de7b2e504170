"""Sightings that arrive after newer ones: the record's whole course is computed again from the log.

``apply`` is the incremental form of what stands here; both give the same for every order of arrival. This one reads
all reports of the scope, which is the price of lateness and of nothing else.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from cmdb_server.ingest import decode, ends
from cmdb_server.ingest.apply import PRESENCE, TRAFFIC, TRAFFIC_FORGOTTEN_MS, bears, drop_tie, dues
from cmdb_server.ingest.batch import Batch, Held, Lane, Tie
from cmdb_server.ingest.courses import Course, corrections, courses, equal, presence
from cmdb_server.ingest.entries import entries, takes_back
from cmdb_server.ingest.sighting import Claim, Index, Origin, Said, Sighting, is_complete, read, unpack
from cmdb_server.ingest.watching import await_ends, note
from cmdb_server.model.displacement import Witness, displaces
from cmdb_server.store import tables


@dataclass(slots=True)
class Scan:
    """One run over a scope, as far as it has arrived. ``at``: its first part's time."""

    at: int
    parts: dict[int, bool] = field(default_factory=dict)
    total: int = 1
    records: set[str] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        return len(self.parts) >= self.total and all(self.parts.values())


@dataclass(slots=True)
class Told:
    """All a scope was ever told: its scans, each record's (time, digest of the observation, part, coverage), and the
    records of each content."""

    scans: dict[str, Scan] = field(default_factory=dict)
    sightings: dict[str, list[tuple[int, str, int, Mapping[str, str]]]] = field(default_factory=dict)
    contents: dict[str, set[str]] = field(default_factory=dict)


def rebuild(batch: Batch, origin: Origin, records: set[str], scan: str | None) -> None:
    """Compute these records again, and all that their late sightings bear upon: whoever was seen at the same
    addresses, and, once the late ``scan`` is complete, everything its scope ever held."""
    told = read_scope(batch, origin.scope)
    affected = set(records)
    if scan is not None and told.scans[scan].complete:
        affected |= told.sightings.keys()
    batch.load(affected)
    things = things_of(batch, told, affected, origin)
    places = {(origin.source, origin.site, s.target) for seen in things.values() for s in seen.values()}
    elsewhere = [held for held in batch.at_targets(places) if not held.parent and held.id not in affected]
    for held in elsewhere:
        affected.add(held.id)
    scopes = {origin.scope: told}
    for held in elsewhere:
        if held.scope not in scopes:
            scopes[held.scope] = read_scope(batch, held.scope)
    batch.load_scopes(scopes)
    for held in elsewhere:
        where = Origin(held.source, held.site, origin.target, origin.probe, held.scope)
        things.update(things_of(batch, scopes[held.scope], {held.id}, where))
    displacing = displacements(scopes, things)
    for record in sorted(affected):
        known = batch.records.get(record)
        scope = known.scope if known is not None else origin.scope
        Rebuilt(batch, origin, record, things[record], scopes[scope], displacing).write()


def read_scope(batch: Batch, scope: str, wanted: Collection[str] | None = None) -> Told:
    """What a scope was told, with the sightings of the ``wanted`` records alone; None: of all."""
    told = Told()
    rows = batch.tx.find(tables.REPORT, ("scope",), [(scope,)])
    contents = batch.tx.get(tables.CONTENT, {(row[13],) for row in rows})
    members = {key[0]: unpack(row[2]) for key, row in contents.items()}
    told.contents = {content: set(held.values()) for content, held in members.items()}
    seen_in = {
        content: [(mark.hex(), record) for mark, record in held.items() if wanted is None or record in wanted]
        for content, held in members.items()
    }
    for row in rows:
        sections = dict(contents[(row[13],)][1])
        scan = told.scans.setdefault(row[8], Scan(row[11]))
        scan.at, scan.total = min(scan.at, row[11]), row[10]
        scan.parts[row[9]] = is_complete(sections, None)
        scan.records |= told.contents[row[13]]
        for mark, record in seen_in[row[13]]:
            told.sightings.setdefault(record, []).append((row[11], mark, row[9], sections))
    for seen in told.sightings.values():
        seen.sort(key=lambda one: (one[0], one[1]))
    return told


def things_of(batch: Batch, told: Told, records: Iterable[str], origin: Origin) -> dict[str, dict[str, Sighting]]:
    """record -> digest -> what that observation says."""
    wanted = {record: {mark for _, mark, _, _ in told.sightings.get(record, ())} for record in records}
    bodies = batch.tx.get(tables.THING, {(mark,) for marks in wanted.values() for mark in marks})
    found: dict[str, dict[str, Sighting]] = {}
    for record, marks in wanted.items():
        found[record] = {}
        for mark in marks:
            seen = decode.stored_observation(unpacked(bodies[(mark,)][1]))
            found[record][mark] = read(seen, origin, batch.kinds, bytes.fromhex(mark), "log")
        for sighting in found[record].values():
            thing = sighting.thing
            family = batch.kinds[thing.class_].family
            batch.witnesses[record] = Witness.of(origin.scope, thing.local_key, family, thing.identifiers)
    return found


def unpacked(body: bytes) -> bytes:
    """An observation's own bytes."""
    return zlib.decompress(body) if body[:1] == b"\x78" else bytes(body)


def displacements(
    scopes: Mapping[str, Told], things: Mapping[str, Mapping[str, Sighting]]
) -> dict[str, list[tuple[int, str]]]:
    """address -> (time, record) of every sighting there."""
    found: dict[str, list[tuple[int, str]]] = {}
    for record, seen in things.items():
        some = next(iter(seen.values()), None)
        if some is None or "@address" not in some.thing.identifiers:
            continue
        for told in scopes.values():
            found.setdefault(some.target, []).extend((at, record) for at, *_ in told.sightings.get(record, ()))
    for times in found.values():
        times.sort()
    return found


class Rebuilt:
    """One record's course, computed anew and written where it differs from what stands."""

    def __init__(
        self, batch: Batch, origin: Origin, record: str, things: Mapping[str, Sighting], told: Told,
        displacing: Mapping[str, list[tuple[int, str]]],
    ) -> None:  # fmt: skip
        self.batch, self.record, self.told = batch, record, told
        self.seen = [(at, things[mark], part, sections) for at, mark, part, sections in told.sightings[record]]
        self.held = batch.records.get(record)
        self.origin = origin
        self.absences, self.rivalled = self._absences(displacing)
        self.rows: dict[tuple[str, str], Course] = {}
        self.said: dict[str, Said] = {}
        self.ties: list[Tie] = []

    def _absences(self, displacing: Mapping[str, list[tuple[int, str]]]) -> tuple[list[int], bool]:
        """When something showed that it was gone: complete scans without it, others at its address; and whether such
        another was there at the moment of its last sighting."""
        without = [scan.at for scan in self.told.scans.values() if scan.complete and self.record not in scan.records]
        first, others = self.seen[0][1], []
        if "@address" in first.thing.identifiers:
            there, witnesses = displacing.get(first.target, ()), self.batch.witnesses
            mine = witnesses[self.record]
            rivals = {one for one in {record for _, record in there} if displaces(witnesses[one], mine)}
            others = [at for at, record in there if record in rivals]
        return sorted([*without, *others]), self.seen[-1][0] in others

    def write(self) -> None:
        """Bring the record, its components and its claims to what the log says."""
        self._thing()
        self._parts()
        self._claims()
        self._history()
        parts = [self.batch.records[id_] for id_ in self.said if id_ != self.record]
        await_ends(self.batch, self.batch.records[self.record], dues(parts, self.ties))
        self.batch.seeds.add(self.record)
        self.batch.recount.add(self.batch.records[self.record].ci)

    def _thing(self) -> None:
        at, last, part, _ = self.seen[-1]
        runs, ended = presence([seen[0] for seen in self.seen], self.absences)
        self.rows[(self.record, PRESENCE)] = runs
        held = self._hold(last.thing, self.seen[0][0], part)
        current = self._is_current(at, part)
        held.evidence, held.part = last.digest.hex(), part
        held.last_at, held.ended_at = (None if current else at), ended
        if ended is not None:
            held.last_at = at
        self._note_lost(held, current=current)
        self._attributes(held, [(seen[0], seen[1].thing) for seen in self.seen], at)

    def _is_current(self, at: int, part: int) -> bool:
        lane = self.batch.lanes.get((self.held.scope if self.held else self.origin.scope, part))
        return lane is not None and lane.observed_at == at and self._tells(lane)

    def _tells(self, lane: Lane) -> bool:
        """Whether the lane's newest report holds the record."""
        return self.record in self.told.contents.get(lane.digest, ())

    def _note_lost(self, held: Held, *, current: bool) -> None:
        """Have the lane look at the record at its next report: it held one that was since seen elsewhere, or lacks one
        that a complete scan may yet end, or end earlier than it was driven from its address. Of two seen there at one
        moment, either may drive the other away."""
        lane = self.batch.lanes.get((held.scope, held.part))
        if lane is None:
            lane = next(found for (scope, _), found in sorted(self.batch.lanes.items()) if scope == held.scope)
        ended = held.ended_at
        if current:
            lost = ended is not None or self.rivalled
        else:
            lost = ended is None or ended > lane.observed_at
        if lost:
            note(self.batch, lane, held.id)
        for (scope, part), other in self.batch.lanes.items():
            if scope == held.scope and part != held.part and self._tells(other):
                note(self.batch, other, held.id)

    def _hold(self, said: Said, first_at: int, part: int) -> Held:
        held = self.batch.records.get(said.record)
        if held is None:
            scope = self.held.scope if self.held is not None else self.origin.scope
            held = Held(
                id=said.record, source=self.origin.source, site=self.origin.site, target=self.seen[-1][1].target,
                native_key=said.native_key, class_=said.class_, evidence="", parent=said.parent,
                local_key=said.local_key, section=said.section, ci="", scope=scope, part=part, first_at=first_at,
                last_at=None, ended_at=None, attributes={},
                identifiers={kind: list(values) for kind, values in said.identifiers.items()},
            )  # fmt: skip
            self.batch.create(held, empty=False)
        bears(self.batch, held, said)
        held.first_at = first_at
        self.batch.dirty.add(held.id)
        if held.ci:
            self.batch.stale_cis.add(held.ci)
        self.said[held.id] = said
        return held

    def _attributes(self, held: Held, told: list[tuple[int, Said]], last: int) -> None:
        """The newest non-empty value counts, at every time; and so for what the record is entered under."""
        held.attributes = {}
        borne: dict[Index, list[int]] = {}
        for at, said in told:
            for name, value in said.attributes.items():
                course = self.rows.setdefault((held.id, name), [])
                if course and course[-1][0] == at:
                    course.pop()
                if not course or not equal(course[-1][1], value):
                    course.append((at, value))
                held.attributes[name] = [value, course[-1][0], None if at == last else at]
            if takes_back(held.source):
                for name in held.attributes.keys() - said.attributes.keys():
                    del held.attributes[name]
                    self.rows[(held.id, name)].append((at, None))
            for entry in entries(self.batch, held, said):
                borne.setdefault(entry, [at, at])[1] = at
        for known in held.attributes.values():
            if known[2] is None and told[-1][0] != last:
                known[2] = told[-1][0]
        for (kind, value), (first, until) in borne.items():
            end = None if until == told[-1][0] else until
            self.batch.index[(kind, value, held.id)] = (kind, value, held.id, first, end)
            self.batch.wake(kind, value)
            if kind == "listens":
                self.batch.listening.add(value.partition("|")[0])

    def _parts(self) -> None:
        """Components: seen with the thing, gone when it is seen without them and their section is complete."""
        told: dict[str, list[tuple[int, Said]]] = {}
        for at, sighting, _, _ in self.seen:
            for said in sighting.components:
                told.setdefault(said.record, []).append((at, said))
        last = self.seen[-1][0]
        ordered = sorted(told, key=lambda id_: (told[id_][0][0], id_))
        self.batch.load(ordered)
        for id_ in _parents_first(ordered, told):
            times = [at for at, _ in told[id_]]
            sections_of = {at: said.section for at, said in told[id_]}
            section: str | None = None
            without = []
            for at, _, _, sections in self.seen:
                section = sections_of.get(at, section)
                if at not in sections_of and is_complete(sections, section):
                    without.append(at)
            runs, ended = presence(times, without)
            held = self._hold(told[id_][-1][1], times[0], self.seen[-1][2])
            self.rows[(id_, PRESENCE)] = runs
            held.section, held.ended_at = section, ended
            held.last_at = None if times[-1] == last else times[-1]
            self._attributes(held, told[id_], last)
            if self.batch.is_port(held):
                self.batch.listening.add(self.record)

    def _claims(self) -> None:
        told: dict[str, list[tuple[int, Claim]]] = {}
        for at, sighting, _, _ in self.seen:
            for claim in sighting.claims:
                told.setdefault(claim.key, []).append((at, claim))
        rows = self.batch.tx.find(tables.TIE, ("record",), [(self.record,)])
        ties = {row[1]: self.batch.ties.setdefault((row[0], row[1]), Tie(*row)) for row in rows}
        self.batch.settled.update((self.record, key) for key in ties)
        claimed = [row for key, row in self.batch.claims.items() if key[0] == self.record]
        known = courses([*self.batch.tx.find(tables.CLAIM, ("record",), [(self.record,)]), *claimed], 5)
        for key, said in told.items():
            course = self._claim_course(said)
            far = said[-1][1].far
            for at, value in corrections(known.get((self.record, key), {}), course, self.batch.reach()):
                self.batch.claim(self.record, key, at, far, value)
            if course[-1][1] is None:
                if key in ties:
                    drop_tie_quietly(self.batch, ties[key])
                continue
            self._tie(key, said, course)
        for key in ties.keys() - told.keys():
            drop_tie(self.batch, ties[key], self.seen[-1][0])

    def _tie(self, key: str, said: list[tuple[int, Claim]], course: Course) -> None:
        at, claim = said[-1]
        value = dict(claim.value)
        begun = max((start for start, v in course if v is None), default=None)
        first = next(time for time, v in course if v is not None and (begun is None or time > begun))
        last = None if at == self.seen[-1][0] else at
        tie = self.batch.ties.get((self.record, key))
        if tie is None:
            tie = Tie(
                self.record, key, value["type"], value["near"], claim.far, value, claim.section, first, last, None, None
            )
            self.batch.ties[(self.record, key)] = tie
        elif (tie.value, tie.first_at) != (value, first):
            ends.told_anew(self.batch, tie)
        tie.value, tie.section, tie.first_at, tie.last_at = value, claim.section, first, last
        self.batch.dropped_ties.pop((self.record, key), None)
        self.batch.stale_ties.add((self.record, key))
        self.batch.dirty_ties.add((self.record, key))
        self.ties.append(tie)

    def _claim_course(self, said: list[tuple[int, Claim]]) -> Course:
        by_time = dict(said)
        section: str | None = None
        course: Course = []
        last: int | None = None
        for at, _, _, sections in self.seen:
            claim = by_time.get(at)
            if claim is not None:
                value, section = dict(claim.value), claim.section
                if not course or course[-1][1] != value:
                    if course and course[-1][0] == at:
                        course.pop()
                    course.append((at, value))
                last = at
            elif (
                last is not None and course[-1][1] is not None and is_complete(sections, section)
                and (section != TRAFFIC or at - last > TRAFFIC_FORGOTTEN_MS)
            ):  # fmt: skip
                course.append((at, None))
        return course

    def _history(self) -> None:
        ids = sorted({id_ for id_, _ in self.rows})
        rows = self.batch.tx.find(tables.FACT, ("record",), [(id_,) for id_ in ids])
        known = courses([*rows, *self.batch.said(ids)], 4)
        for (record, attribute), course in self.rows.items():
            for at, value in corrections(known.get((record, attribute), {}), course, self.batch.reach()):
                self.batch.fact(record, attribute, at, value)


def drop_tie_quietly(batch: Batch, tie: Tie) -> None:
    """Take a tie away whose end the history tells already."""
    batch.dropped_ties[(tie.record, tie.key)] = tie
    batch.ties.pop((tie.record, tie.key), None)


def _parents_first(ids: Iterable[str], told: Mapping[str, list[tuple[int, Said]]]) -> list[str]:
    waiting, placed, ordered = list(ids), set[str](), list[str]()
    while waiting:
        ready = [id_ for id_ in waiting if told[id_][0][1].parent not in told or told[id_][0][1].parent in placed]
        ordered += ready
        placed.update(ready)
        waiting = [id_ for id_ in waiting if id_ not in placed]
    return ordered
