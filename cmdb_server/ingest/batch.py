"""One write transaction's unit of work: rows read once, changed in memory, written at the end.

Everything below the pipeline speaks to this and not to the transaction, so that a report of hundreds of things costs a
handful of statements.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cmdb_schemas.relations import RelationType
from cmdb_server.ingest.sighting import GROUP, SOUGHT, Index, Kinds, Said
from cmdb_server.model.components import CALLED, NATIVE, PLACE, PLACE_NAME
from cmdb_server.model.displacement import Witness
from cmdb_server.store import tables
from cmdb_server.store.bounds import begun
from cmdb_server.store.port import Row, Writing

if TYPE_CHECKING:
    from cmdb_server.ingest.ruling import Ruled

UNASKED = frozenset(("listens", SOUGHT, PLACE, PLACE_NAME, NATIVE, CALLED))
"""Kinds of the index by which no claim names its far end."""
PORT = "network_interface"
PORT_NAMING = ("if_name", "if_descr", "if_alias", "mac_address", "if_index")
"""The attributes by which neighbours may name a port."""
LONG_AGO = -(1 << 62)
"""Before all times."""


@dataclass(slots=True)
class Held:
    """A row of RECORD, in memory. ``last_at`` None: confirmed whenever its lane is."""

    id: str
    source: str
    site: str
    target: str
    native_key: str | None
    class_: str
    evidence: str
    parent: str
    local_key: str
    section: str | None
    ci: str
    scope: str
    part: int
    first_at: int
    last_at: int | None
    ended_at: int | None
    attributes: dict[str, list[Any]]
    identifiers: dict[str, list[str]]

    def row(self) -> Row:
        return (
            self.id, self.source, self.site, self.target, self.native_key, self.class_, self.evidence, self.parent,
            self.local_key, self.section, self.ci, self.scope, self.part, self.first_at, self.last_at, self.ended_at,
            self.attributes, self.identifiers,
        )  # fmt: skip


@dataclass(slots=True)
class Lane:
    """A row of LANE, in memory."""

    scope: str
    part: int
    source: str
    site: str
    target: str
    probe: str
    agent: str
    parts: int
    scan: str
    digest: str
    observed_at: int
    revision: int
    lost: list[str]
    contested: list[str]
    pending: dict[str, list[int]]

    def row(self) -> Row:
        return (
            self.scope, self.part, self.source, self.site, self.target, self.probe, self.agent, self.parts, self.scan,
            self.digest, self.observed_at, self.revision, self.lost, self.contested, self.pending,
        )  # fmt: skip


@dataclass(slots=True)
class Tie:
    """A row of TIE, in memory."""

    record: str
    key: str
    type: str
    near: str
    far: str
    value: dict[str, Any]
    section: str | None
    first_at: int
    last_at: int | None
    from_ci: str | None
    to_ci: str | None

    def row(self) -> Row:
        return (
            self.record, self.key, self.type, self.near, self.far, self.value, self.section, self.first_at,
            self.last_at, self.from_ci, self.to_ci,
        )  # fmt: skip

    @property
    def relation(self) -> tuple[str, str, str] | None:
        """The relation it carries, once both ends are known."""
        if self.from_ci is None or self.to_ci is None or self.from_ci == self.to_ci:
            return None
        return (self.from_ci, self.type, self.to_ci)

    def far_ci(self, near: str) -> str | None:
        """The CI at the far end, seen from the CI that the claim is about."""
        return self.to_ci if self.from_ci == near else self.from_ci


@dataclass(slots=True)
class Batch:
    """What one report reads and changes. ``seeds``: things whose identity is to be decided again; ``stale_cis``: CIs
    whose row is to be built again; ``stale_ties``: claims whose ends are to be found again; ``woken``: far ends that
    may have become known; ``moved``: record -> the CI that held it before; ``settled``: ties whose ends were found
    before; ``named``: keyed CI -> the claims that name it; ``contained``: relations that follow from a class;
    ``listening``: things on which something listens anew, or that have other ports; ``recount``: CIs of whose records some came or went, so that
    others' claims may count or not; ``unnamed``: keyed CIs of which some such claim speaks; ``witnesses``: record -> who
    was seen, of those whose sightings were read from the log."""

    tx: Writing
    kinds: Kinds
    types: dict[str, RelationType]
    now: int
    records: dict[str, Held] = field(default_factory=dict)
    lanes: dict[tuple[str, int], Lane] = field(default_factory=dict)
    ties: dict[tuple[str, str], Tie] = field(default_factory=dict)
    dropped_ties: dict[tuple[str, str], Tie] = field(default_factory=dict)
    seeds: set[str] = field(default_factory=set)
    stale_cis: set[str] = field(default_factory=set)
    stale_ties: set[tuple[str, str]] = field(default_factory=set)
    woken: set[str] = field(default_factory=set)
    settled: set[tuple[str, str]] = field(default_factory=set)
    named: dict[str, dict[tuple[str, str], Tie]] = field(default_factory=dict)
    contained: list[Row] = field(default_factory=list)
    recount: set[str] = field(default_factory=set)
    unnamed: set[str] = field(default_factory=set)
    listening: set[str] = field(default_factory=set)
    witnesses: dict[str, Witness] = field(default_factory=dict)
    facts: dict[str, dict[tuple[str, int], Row]] = field(default_factory=dict)
    claims: dict[tuple[str, str, int], Row] = field(default_factory=dict)
    members: list[Row] = field(default_factory=list)
    index: dict[tuple[str, str, str], Row] = field(default_factory=dict)
    feed: dict[tuple[str, str], int] = field(default_factory=dict)
    dirty: set[str] = field(default_factory=set)
    dirty_lanes: set[tuple[str, int]] = field(default_factory=set)
    dirty_ties: set[tuple[str, str]] = field(default_factory=set)
    born: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    moved: dict[str, str] = field(default_factory=dict)
    parts_read: set[str] = field(default_factory=set)
    ruled: Ruled | None = None
    dropped_until: int | None = None

    # Records ---------------------------------------------------------------------------------------------------------

    def load(self, ids: Iterable[str]) -> None:
        """Bring these records into memory."""
        missing = [(id_,) for id_ in ids if id_ not in self.records]
        if missing:
            self._take(self.tx.get(tables.RECORD, missing).values())

    def _take(self, rows: Iterable[Row]) -> list[Held]:
        taken = []
        for row in rows:
            held = self.records.get(row[0])
            if held is None:
                held = self.records[row[0]] = Held(*row)
            taken.append(held)
        return taken

    def components(self, parents: Iterable[str]) -> dict[str, list[Held]]:
        """parent record id -> its direct component records."""
        wanted = list(parents)
        unread = [parent for parent in wanted if parent not in self.parts_read]
        if unread:
            self.parts_read.update(unread)
            for held in self._take(self.tx.find(tables.RECORD, ("parent",), [(parent,) for parent in unread])):
                if held.id not in self.born[held.parent]:
                    self.born[held.parent].append(held.id)
        return {parent: [self.records[id_] for id_ in self.born[parent]] for parent in wanted if self.born[parent]}

    def descendants(self, record: str) -> list[Held]:
        """All component records below a record, parents first."""
        found, frontier = [], [record]
        while frontier:
            below = [held for some in self.components(frontier).values() for held in some]
            found += below
            frontier = [held.id for held in below]
        return found

    def of_cis(self, cis: Iterable[str]) -> dict[str, list[Held]]:
        """CI id -> the records that are held to be part of it now."""
        wanted = set(cis)
        self._take(self.tx.find(tables.RECORD, ("ci",), [(ci,) for ci in wanted]))
        found: dict[str, list[Held]] = {ci: [] for ci in wanted}
        for held in self.records.values():
            if held.ci in found:
                found[held.ci].append(held)
        return found

    def at_targets(self, places: Iterable[tuple[str, str, str]]) -> list[Held]:
        """The records of these (source, site, target)."""
        return self._take(self.tx.find(tables.RECORD, ("source", "site", "target"), places))

    def create(self, held: Held, *, empty: bool = True) -> None:
        """Add a record that the store does not hold. ``empty``: so it has no components there either."""
        self.records[held.id] = held
        self.dirty.add(held.id)
        if empty:
            self.parts_read.add(held.id)
        if held.parent:
            self.born[held.parent].append(held.id)

    def is_port(self, held: Held) -> bool:
        """Whether neighbours name it beside its device."""
        return bool(held.parent) and self.kinds[held.class_].is_a(PORT)

    def is_group(self, held: Held) -> bool:
        """Whether several boxes make it up, which may answer at its address."""
        return not held.parent and self.kinds[held.class_].is_a(GROUP)

    def place(self, held: Held, ci: str) -> None:
        """Hold the record to be part of ``ci`` from this revision on."""
        if held.ci == ci:
            return
        if held.ci:
            self.stale_cis.add(held.ci)
            self.moved.setdefault(held.id, held.ci)
        held.ci = ci
        if not held.parent and (held.id in self.moved or ci != held.id):
            self.recount.update({self.moved.get(held.id, ci), ci})
        self.stale_cis.add(ci)
        self.dirty.add(held.id)
        self.members.append((held.id, self.tx.revision, ci))

    def silent(self, records: Iterable[str]) -> set[str]:
        """Of these things' records, those whose claims do not count: they are gone, while another record of the same
        CI is there, or went later, and tells what held since."""
        self.load(records)
        ended = [self.records[id_] for id_ in records if self.records[id_].ended_at is not None]
        if not ended:
            return set()
        members = self.of_cis({held.ci for held in ended})
        return {held.id for held in ended if _went(held) < max(map(_went, members[held.ci]))}

    def seen_last(self, held: Held) -> int:
        """When the record was last confirmed, ms: a component with its parent, a thing with its lane."""
        if held.last_at is not None:
            return held.last_at
        if held.parent:
            self.load((held.parent,))
            return self.seen_last(self.records[held.parent])
        return self.lane(held.scope, held.part).observed_at

    def top(self, held: Held) -> Held:
        """The thing that a component belongs to; a thing itself."""
        while held.parent:
            self.load((held.parent,))
            held = self.records[held.parent]
        return held

    def witness(self, held: Held) -> Witness:
        """Who was seen, as far as others may drive it from its address."""
        return Witness.of(held.scope, held.local_key, self.kinds[held.class_].family, held.identifiers)

    # Lanes -----------------------------------------------------------------------------------------------------------

    def lane(self, scope: str, part: int) -> Lane:
        found = self.lanes.get((scope, part))
        if found is None:
            row = self.tx.get(tables.LANE, [(scope, part)])[(scope, part)]
            found = self.lanes[(scope, part)] = Lane(*row)
        return found

    def load_lanes(self, records: Iterable[Held]) -> None:
        """Bring the lanes of these records into memory."""
        keys = {(held.scope, held.part) for held in records} - self.lanes.keys()
        for key, row in self.tx.get(tables.LANE, keys).items() if keys else ():
            self.lanes[(key[0], key[1])] = Lane(*row)

    def load_scopes(self, scopes: Iterable[str]) -> None:
        """Bring all lanes of these scopes into memory."""
        for row in self.tx.find(tables.LANE, ("scope",), [(scope,) for scope in scopes]):
            self.lanes.setdefault((row[0], row[1]), Lane(*row))

    # What is said ----------------------------------------------------------------------------------------------------

    def fact(self, record: str, attribute: str, at: int, value: Any) -> None:
        self.facts.setdefault(record, {})[(attribute, at)] = (record, attribute, at, self.tx.revision, value)

    def said(self, records: Iterable[str], attribute: str | None = None) -> Iterator[Row]:
        """The facts of these records, all or of one attribute, that are still to be written."""
        for record in records:
            for key, row in self.facts.get(record, {}).items():
                if attribute in (None, key[0]):
                    yield row

    def claim(self, record: str, key: str, at: int, far: str, value: dict[str, Any] | None) -> None:
        self.claims[(record, key, at)] = (record, key, at, self.tx.revision, far, value)

    def bear(self, said: Said, entries: Iterable[Index], at: int) -> None:
        """Enter what a record can be found by, from ``at`` on, and wake the claims that wait for it."""
        for kind, value in entries:
            self.index[(kind, value, said.record)] = (kind, value, said.record, at, None)
            self.wake(kind, value)
            if kind == "listens":
                self.listening.add(value.partition("|")[0])

    def reach(self) -> int:
        """Until when (ms) the past was dropped: of what was before, no word is added."""
        if self.dropped_until is None:
            first = begun(self.tx)
            self.dropped_until = LONG_AGO if first is None else first
        return self.dropped_until

    def wake(self, kind: str, value: str) -> None:
        """Have the claims looked at again whose far end this entry may be."""
        if kind not in UNASKED:
            self.woken.add(f"{kind}:{value}")

    def contest(self, held: Held) -> None:
        """Further sightings of the record may change an outcome: have it looked at again at each."""
        self.load_lanes([held])
        lane = self.lane(held.scope, held.part)
        if held.id not in lane.contested:
            lane.contested.append(held.id)
            self.dirty_lanes.add((held.scope, held.part))

    def changed(self, kind: str, id_: str, *, deleted: bool = False) -> None:
        """Tell the change feed."""
        self.feed[(kind, id_)] = int(deleted)

    def enter(self) -> None:
        """Write the index, which the search for who is who reads."""
        self.tx.put(tables.IDENTIFIER, self.index.values())
        self.index.clear()

    def tie_up(self) -> None:
        """Write the ties, from which relations are counted."""
        self.tx.delete(tables.TIE, self.dropped_ties)
        self.tx.put(tables.TIE, [self.ties[key].row() for key in self.dirty_ties if key in self.ties])
        self.dirty_ties.clear()

    # Writing ---------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what changed, in one statement a table."""
        revision, tx = self.tx.revision, self.tx
        tx.put(tables.RECORD, [self.records[id_].row() for id_ in self.dirty])
        tx.put(tables.LANE, [self.lanes[key].row() for key in self.dirty_lanes])
        tx.insert(tables.FACT, [row for facts in self.facts.values() for row in facts.values()])
        tx.insert(tables.CLAIM, self.claims.values())
        tx.insert(tables.MEMBERSHIP, {row[:2]: row for row in self.members}.values())
        tx.insert(tables.FEED, [(revision, kind, id_, gone) for (kind, id_), gone in self.feed.items()])


def _went(held: Held) -> float:
    """When the record went, ms; never, if it is there."""
    return math.inf if held.ended_at is None else held.ended_at
