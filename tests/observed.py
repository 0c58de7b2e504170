"""From scans to CIs by the pure model alone: what ingest does with a store, done at once with all there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cmdb_schemas.ci_class import classes
from cmdb_server.model import presence
from cmdb_server.model.attachment import Bearers, by_age, declared_as, owner
from cmdb_server.model.components import components, place, void_values
from cmdb_server.model.decisions import Decision, distrusted, in_force
from cmdb_server.model.identity import Record, Resolution, Value, resolve
from cmdb_server.model.ids import record_id
from cmdb_server.model.normalise import normalise
from cmdb_server.model.record import is_told_by_people


@dataclass(frozen=True)
class Thing:
    """One thing as one scan saw it; ``id`` names this sighting."""

    id: str
    identifiers: Mapping[str, Sequence[str]]
    address: str | None = None
    key: str | None = None
    class_: str = "computer"
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scan:
    """One scan: what it saw at ``at`` (ms). ``source`` ``manual`` declares."""

    source: str
    scope: str
    at: int
    things: tuple[Thing, ...]
    complete: bool = True


@dataclass
class Held:
    """A record under way: ``seen``: (time, scope, sighting); ``values``: attribute -> (since, confirmed, value)."""

    source: str
    thing: Thing
    seen: list[tuple[int, str, str]] = field(default_factory=list)
    values: dict[str, tuple[int, int, Any]] = field(default_factory=dict)


class Observed:
    """All of some scans. ``records``: by id; ``runs``: each record's presence; ``owned``: record -> the CI of its last
    sighting; ``ci``: sighting -> CI."""

    def __init__(self, scans: Iterable[Scan], decisions: Iterable[Decision] = ()) -> None:
        self.held: dict[str, Held] = {}
        self.now = 0
        self._complete: dict[str, list[int]] = defaultdict(list)
        self._lanes: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        for scan in scans:
            self._scan(scan)
        self.runs = {id_: self._presence(id_, held) for id_, held in self.held.items()}
        self.records = {id_: self._record(id_, held) for id_, held in self.held.items()}
        self.resolutions = self._resolved(in_force(decisions))
        self.ci: dict[str, str] = {}
        self.owned: dict[str, str] = {}
        self._attach()

    def _scan(self, scan: Scan) -> None:
        self.now = max(self.now, scan.at)
        scope = f"{scan.source} {scan.scope}"
        if scan.complete:
            self._complete[scope].append(scan.at)
        for thing in scan.things:
            id_ = record_id(
                scan.source, "main", thing.class_, thing.identifiers, target=thing.address, native_key=thing.key
            )
            held = self.held.setdefault(id_, Held(scan.source, thing))
            held.seen.append((scan.at, scope, thing.id))
            self._lanes[scan.source, thing.key or thing.address or ""].append((scan.at, id_))
            for name, value in thing.attributes.items():
                since, confirmed, old = held.values.get(name, (scan.at, -1, None))
                if scan.at > confirmed:
                    held.values[name] = (since if value == old else scan.at, scan.at, value)

    def _presence(self, id_: str, held: Held) -> tuple[presence.Run, ...]:
        lane = self._lanes[held.source, held.thing.key or held.thing.address or ""]
        others = sorted(at for at, other in lane if other != id_)
        complete = {scope: sorted(self._complete[scope]) for _, scope, _ in held.seen}
        return presence.runs([(at, scope) for at, scope, _ in held.seen], others, complete)

    def _record(self, id_: str, held: Held) -> Record:
        thing, runs = held.thing, self.runs[id_]
        return Record(
            id=id_, source=held.source, site="main", target=thing.address or "", native_key=thing.key,
            class_=thing.class_, family=classes()[thing.class_].family, identifiers=normalise(thing.identifiers),
            address=thing.address, intervals=tuple((run.first, run.last) for run in runs),
            declared=is_told_by_people(held.source), first_at=runs[0].first,
        )  # fmt: skip

    def _resolved(self, ruled: Sequence[Decision]) -> list[Resolution]:
        records = list(self.records.values())
        void: frozenset[Value] = void_values(records) | distrusted(ruled)
        return [resolve(c, ruled, void=void) for c in components(records, ruled, void=void)]

    def _attach(self) -> None:
        ci_of = {id_: ci for resolution in self.resolutions for id_, ci in resolution.ci_of.items()}
        weak = {id_ for resolution in self.resolutions for id_ in resolution.weak}
        proofs: dict[Value | None, list[Record]] = defaultdict(list)
        for record in self.records.values():
            if record.id not in weak:
                proofs[place(record)].append(record)
        groups = [[self.records[id_] for id_ in group] for one in self.resolutions for group in one.groups]
        bearers = Bearers(self.records.values())
        for told in by_age(group for group in groups if all(record.declared for record in group)):
            named = declared_as(told, bearers)
            ci_of |= dict.fromkeys((record.id for record in told), ci_of[named or told[0].id])
        for id_, record in self.records.items():
            for at, _, sighting in sorted(self.held[id_].seen):
                found = owner(record, proofs[place(record)], at) if id_ in weak and record.address else None
                self.owned[id_] = self.ci[sighting] = ci_of[found or id_]

    def together(self) -> frozenset[frozenset[str]]:
        """The sightings by CI."""
        groups: dict[str, set[str]] = defaultdict(set)
        for sighting, ci in self.ci.items():
            groups[ci].add(sighting)
        return frozenset(frozenset(group) for group in groups.values())
