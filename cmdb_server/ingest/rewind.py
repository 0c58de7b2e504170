"""The state as it was: the present one, with all that was told since taken back.

Things that something since bore upon are taken out and put back as the log told of them until then, by what takes in
late reports; CIs and relations follow as they do after every report (``items``, ``ends``, ``counts``). So what was and
what is are one computation, and its cost follows what changed in between. Who is who is read from the history, since it
is a matter of what was known and not of what was observed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cmdb_schemas.relations import relation_types
from cmdb_server.ingest import cluster, counts, ends, items, late, tenure
from cmdb_server.ingest.batch import Batch, Tie
from cmdb_server.ingest.replay import lane_of
from cmdb_server.ingest.sighting import Kinds, Origin
from cmdb_server.ingest.since import Part, Then, decided_of, told_since
from cmdb_server.store import tables
from cmdb_server.store.digest import pages
from cmdb_server.store.draft import Draft
from cmdb_server.store.partial import Partial
from cmdb_server.store.port import Reading, Row

R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}
CONTESTED = tables.LANE.position("contested")
VALUE, FIRST_AT = tables.TIE.position("value"), tables.TIE.position("first_at")
Displacing = dict[str, list[tuple[int, str]]]


def state_at(tx: Reading, then: Then, kinds: Kinds, now: int) -> Draft:
    """All records, lanes, CIs and relations of ``then``. ``now`` (ms): by when values are stale or fresh."""
    draft = Draft(Partial(tx, then.part), then.revision, empty=(tables.FACT, tables.CLAIM))
    work = _Rewinding(tx, draft, then, Batch(draft, kinds, dict(relation_types()), now))
    since = told_since(tx, then)
    work.set_lanes(since.lanes)
    for scope, things in sorted(work.take_out(since.records).items()):
        work.put_back(scope, things)
    work.lend()
    work.mark()
    work.settle()
    return draft


@dataclass(slots=True)
class _Rewinding:
    """``batch`` gathers what is to be built again. ``cis``: those that lost or got records; ``things``, ``ties``: those
    that were taken out, as they were; ``relations``: what these claims carried."""

    tx: Reading
    draft: Draft
    then: Then
    batch: Batch
    cis: set[str] = field(default_factory=set)
    things: dict[str, Row] = field(default_factory=dict)
    ties: dict[tuple[str, str], Tie] = field(default_factory=dict)
    relations: set[ends.Relation] = field(default_factory=set)

    def set_lanes(self, lanes: Mapping[Part, Row | None]) -> None:
        self.draft.delete(tables.LANE, [part for part, row in lanes.items() if row is None])
        self.draft.put(tables.LANE, [lane_of(row).row() for row in lanes.values() if row is not None])

    # Things that may have been otherwise -----------------------------------------------------------------------------

    def take_out(self, records: Iterable[str]) -> dict[str, dict[str, Row]]:
        """Take the things of these records out, with all that depends on them, what they claim and what they are found
        by. Gives them by scope."""
        self.things = self._things(records)
        rows, frontier = dict(self.things), list(self.things)
        while frontier:
            below = self.tx.find(tables.RECORD, ("parent",), [(id_,) for id_ in frontier])
            rows |= {row[0]: row for row in below}
            frontier = [row[0] for row in below]
        self.cis = {row[R["ci"]] for row in rows.values()}
        self._take_ties()
        borne = self.tx.find(tables.IDENTIFIER, ("record",), [(id_,) for id_ in rows])
        for kind, value, *_ in borne:
            self.batch.wake(kind, value)
        self.draft.delete(tables.IDENTIFIER, [row[:3] for row in borne])
        self.draft.delete(tables.RECORD, [(id_,) for id_ in rows])
        by_scope: defaultdict[str, dict[str, Row]] = defaultdict(dict)
        for id_, row in self.things.items():
            by_scope[row[R["scope"]]][id_] = row
        return by_scope

    def _things(self, records: Iterable[str]) -> dict[str, Row]:
        """The things that these records are, or are components of."""
        found: dict[str, Row] = {}
        frontier = set(records)
        while frontier:
            rows = self.tx.get(tables.RECORD, [(id_,) for id_ in sorted(frontier)]).values()
            found |= {row[0]: row for row in rows if not row[R["parent"]]}
            frontier = {row[R["parent"]] for row in rows} - {""} - found.keys()
        return found

    def _take_ties(self) -> None:
        rows = self.tx.find(tables.TIE, ("record",), [(id_,) for id_ in self.things])
        self.ties = {(row[0], row[1]): Tie(*row) for row in rows}
        self.relations = {tie.relation for tie in self.ties.values() if tie.relation is not None}
        self.draft.delete(tables.TIE, list(self.ties))

    def put_back(self, scope: str, things: Mapping[str, Row]) -> None:
        """Things of a scope, as far as it had told of them."""
        batch = Batch(self.draft, self.batch.kinds, self.batch.types, self.batch.now)
        batch.load_scopes([scope])
        lane = next(iter(batch.lanes.values()), None)
        if lane is None:
            return
        origin = Origin(lane.source, lane.site, lane.target, lane.probe, scope)
        told = late.read_scope(batch, scope, things)
        seen = late.things_of(batch, told, told.sightings, origin)
        displacing = self._displacing(batch, origin, things.values())
        for record in sorted(told.sightings):
            late.Rebuilt(batch, origin, record, seen[record], told, displacing).write()
        self._keep(batch)

    def _displacing(self, batch: Batch, origin: Origin, things: Iterable[Row]) -> Displacing:
        """What was seen at the addresses that these things answered at, by whichever scope."""
        places = {(row[R["source"]], row[R["site"]], row[R["target"]]) for row in things if _answers(row)}
        by_scope: defaultdict[str, set[str]] = defaultdict(set)
        for row in self.tx.find(tables.RECORD, ("source", "site", "target"), sorted(places)) if places else ():
            if not row[R["parent"]] and _answers(row):
                by_scope[row[R["scope"]]].add(row[0])
        found: Displacing = {}
        for scope, records in by_scope.items():
            told = late.read_scope(batch, scope, records)
            where = Origin(origin.source, origin.site, origin.target, origin.probe, scope)
            seen = late.things_of(batch, told, told.sightings, where)
            for address, times in late.displacements({scope: told}, seen).items():
                found.setdefault(address, []).extend(times)
        return {address: sorted(times) for address, times in found.items()}

    def _keep(self, batch: Batch) -> None:
        """Write what was put back, every record in the CI that was known to hold it."""
        ci_of = self._known_of(batch.records)
        for id_, held in batch.records.items():
            held.ci = ci_of[id_]
        self.cis.update(ci_of.values())
        batch.enter()
        self.draft.put(tables.RECORD, [held.row() for held in batch.records.values()])
        self.draft.put(tables.TIE, [tie.row() for tie in batch.ties.values()])
        self.batch.stale_ties |= batch.ties.keys()
        self.batch.woken |= batch.woken
        self.batch.listening |= batch.listening

    def _known_of(self, records: Iterable[str]) -> dict[str, str]:
        """Record -> the CI that was known to hold it."""
        rows = self.tx.find(tables.MEMBERSHIP, ("record",), [(id_,) for id_ in records])
        return {record: ci for record, known, ci in rows if known <= self.then.revision}

    def lend(self) -> None:
        """Of things that several CIs held in turn, each goes to the one of the time."""
        lent = {row[2] for row in self.tx.find(tables.IDENTIFIER, ("kind",), [(tenure.HELD,)])} & self.things.keys()
        courses = tenure.known(self.tx, lent, self.then.revision)
        holders = {id_: tenure.holder(course, self.then.until) for id_, course in courses.items()}
        ci_of = self._known_of({holder for holder in holders.values() if holder is not None})
        self.batch.load(lent)
        for id_, holder in holders.items():
            if holder is not None and (held := self.batch.records.get(id_)) is not None:
                self.batch.place(held, ci_of.get(holder, holder))
        if self.batch.moved:
            moved = {*self.batch.moved.values(), *(self.batch.records[id_].ci for id_ in self.batch.moved)}
            cluster.place_components(self.batch, moved)
            self.cis |= moved | self.batch.stale_cis
            self._write_records()

    def _write_records(self) -> None:
        self.draft.put(tables.RECORD, [self.batch.records[id_].row() for id_ in self.batch.dirty])

    # What follows from them ------------------------------------------------------------------------------------------

    def mark(self) -> None:
        """Mark what the things taken out and put back bear upon, and what depends on the time alone."""
        batch = self.batch
        contested = self._contested()
        batch.load({*contested, *decided_of(self.tx)})
        looked_at = [*batch.records]
        while looked_at:
            batch.stale_cis.update(batch.records[id_].ci for id_ in looked_at)
            looked_at = [held.id for below in batch.components(looked_at).values() for held in below]
        batch.stale_cis |= self.cis
        batch.recount |= self._regrouped()
        batch.unnamed |= self._otherwise_named()
        members = batch.of_cis(self.cis)
        batch.listening |= contested & batch.records.keys()
        batch.listening.update(held.id for some in members.values() for held in some if not held.parent)
        touched = [(ci,) for ci in sorted(self.cis)]
        for column, values in (
            ("record", [(id_,) for id_ in sorted(contested)]),
            ("from_ci", touched),
            ("to_ci", touched),
        ):
            batch.stale_ties.update((row[0], row[1]) for row in self.draft.find(tables.TIE, (column,), values))

    def _regrouped(self) -> set[str]:
        """CIs of whose things some were not there then, or were there still."""
        back = self.draft.get(tables.RECORD, [(id_,) for id_ in self.things])
        found: set[str] = set()
        for id_, row in self.things.items():
            then = back.get((id_,))
            told = None if then is None else (then[R["ci"]], then[R["ended_at"]])
            if told != (row[R["ci"]], row[R["ended_at"]]):
                found.update(one[R["ci"]] for one in (row, then) if one is not None)
        return found

    def _otherwise_named(self) -> set[str]:
        """CIs that come to be by being named, of which some claim said something else then."""
        back = self.draft.get(tables.TIE, self.ties)
        keyed = {key: tie for key, tie in self.ties.items() if tie.far.startswith(ends.KEYED)}
        return {
            ends.keyed_ci(tie.far)
            for key, tie in keyed.items()
            if (row := back.get(key)) is None or (row[VALUE], row[FIRST_AT]) != (tie.value, tie.first_at)
        }

    def _contested(self) -> set[str]:
        """Records on whose further sightings it depends who or what counts."""
        return {id_ for row in pages(self.tx, tables.LANE) for id_ in row[CONTESTED]}

    def settle(self) -> None:
        """From what the records say to CIs and relations, as after a report."""
        batch = self.batch
        gone = items.build(batch)
        touched = ends.resolve(batch) | self.relations
        gone |= ends.keyed(batch)
        batch.tie_up()
        counts.count(batch, touched)
        self.draft.delete(tables.CI, [(ci,) for ci in gone])


def _answers(row: Row) -> bool:
    """Whether the record stands for whoever is at its address."""
    return "@address" in row[R["identifiers"]]
