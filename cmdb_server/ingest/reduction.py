"""Which reports of the past the log can do without.

A report is needed for what it began, confirmed last, ended or contradicted. All others can go, if what remains gives
the very same state: which is computed from both, and a neighbourhood for which it differs is left whole. Since newer
reports only add to that state, everything after the horizon is as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cmdb_schemas.relations import relation_types
from cmdb_server.ingest import late
from cmdb_server.ingest.apply import PRESENCE
from cmdb_server.ingest.batch import Batch
from cmdb_server.ingest.replay import blank, observe
from cmdb_server.ingest.sighting import Kinds, Origin, Said, Sighting, as_json
from cmdb_server.ingest.since import P
from cmdb_server.store import tables
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Reading, Row

Word = tuple[str, ...]
"""What can be said: ("claim", its key), ("there", a record), (a record, attribute), (a record, kind, identifier)."""
FEW = 4
"""With fewer reports than these there is nothing to gain."""


@dataclass(frozen=True, slots=True)
class Spared:
    """Keys of REPORT that a neighbourhood can do without. ``whole``: without none, since the state would differ."""

    reports: tuple[tuple[int], ...] = ()
    whole: bool = False


@dataclass(slots=True)
class Observed(Batch):
    """What some reports say; ``presence``: record -> time -> there or gone."""

    presence: dict[str, dict[int, Any]] = field(default_factory=dict)

    def fact(self, record: str, attribute: str, at: int, value: Any) -> None:
        if attribute == PRESENCE:
            self.presence.setdefault(record, {})[at] = value
        Batch.fact(self, record, attribute, at, value)


def neighbourhoods(tx: Reading) -> list[tuple[str, ...]]:
    """The scopes, those together whose records may drive one another from an address."""
    at = {name: tables.RECORD.position(name) for name in ("scope", "source", "site", "target", "parent", "identifiers")}
    above: dict[Hashable, Hashable] = {}

    def root(one: Hashable) -> Hashable:
        while above.setdefault(one, one) != one:
            above[one] = one = above[above[one]]
        return one

    for row in pages(tx, tables.RECORD):
        scope = row[at["scope"]]
        root(scope)
        if not row[at["parent"]] and "@address" in row[at["identifiers"]]:
            place = (row[at["source"]], row[at["site"]], row[at["target"]])
            above[root(scope)] = root(place)
    groups: defaultdict[Hashable, list[str]] = defaultdict(list)
    for one in above:
        if isinstance(one, str):
            groups[root(one)].append(one)
    return sorted(tuple(sorted(scopes)) for scopes in groups.values())


def superfluous(tx: Reading, scopes: Sequence[str], until: int, revision: int, kinds: Kinds) -> Spared:
    """The reports of a neighbourhood that nothing at ``until`` (ms) or later needs, as far as known at ``revision`` or
    later."""
    rows = tx.find(tables.REPORT, ("scope",), [(scope,) for scope in scopes])
    told_later = [row[P["observed_at"]] for row in rows if row[P["revision"]] > revision]
    end = min([at for at in told_later if at <= until], default=until + 1)
    old = [row for row in rows if row[P["observed_at"]] < end and row[P["revision"]] <= revision]
    if len(old) < FEW:
        return Spared()
    whole = _observed(tx, old, kinds)
    state = _state(whole)
    for over in (True, False):
        kept = _kept(old, _needed(whole, old, over=over))
        if len(kept) == len(old):
            return Spared()
        if _state(_observed(tx, kept, kinds)) == state:
            remaining = {row[0] for row in kept}
            return Spared(tuple((row[0],) for row in old if row[0] not in remaining))
    return Spared(whole=True)


def _observed(tx: Reading, rows: Sequence[Row], kinds: Kinds) -> Observed:
    past = blank(tx, rows, max(row[0] for row in rows))
    batch = Observed(past, kinds, dict(relation_types()), max(row[P["observed_at"]] for row in rows))
    observe(batch, past)
    return batch


def _state(batch: Observed) -> tuple[Any, ...]:
    """All that newer reports, and who is who, are judged by."""
    things = {id_ for id_, held in batch.records.items() if not held.parent}
    return (
        {id_: held.row() for id_, held in batch.records.items()},
        {key: tie.row() for key, tie in batch.ties.items()},
        batch.index,
        {key: (lane.digest, lane.observed_at, sorted(lane.lost), lane.pending) for key, lane in batch.lanes.items()},
        {id_: course for id_, course in batch.presence.items() if id_ in things},
    )


# What is needed --------------------------------------------------------------------------------------------------------


def _kept(rows: Sequence[Row], times: Mapping[str, set[int]]) -> list[Row]:
    """The reports of these times, of each part the newest, and of the same scans the other parts."""
    newest = {(row[P["scope"]], row[P["part"]]): row for row in sorted(rows, key=lambda row: row[P["observed_at"]])}
    scans = {(row[P["scope"]], row[P["scan"]]) for row in newest.values()}
    scans |= {
        (row[P["scope"]], row[P["scan"]]) for row in rows
        if row[P["observed_at"]] in times[row[P["scope"]]] or row[P["observed_at"]] in times[""]
    }  # fmt: skip
    return [row for row in rows if (row[P["scope"]], row[P["scan"]]) in scans]


def _needed(batch: Observed, rows: Sequence[Row], *, over: bool) -> Mapping[str, set[int]]:
    """Scope -> times of its reports that are needed; of all scopes under ``""``. ``over``: claims that are over are
    not, which nearly always leaves no trace."""
    times: defaultdict[str, set[int]] = defaultdict(set)
    for id_, course in batch.presence.items():
        if not batch.records[id_].parent:
            for at, value in course.items():
                times[""].update((at, value[1]) if isinstance(value, list) else (at,))
    for origin in {Origin(*(row[P[name]] for name in ("source", "site", "target", "probe", "scope"))) for row in rows}:
        told = late.read_scope(batch, origin.scope)
        things = late.things_of(batch, told, told.sightings, origin)
        times[""].update(scan.at for scan in told.scans.values() if scan.at in times[""])
        for record, seen in told.sightings.items():
            stretches = _stretches((at, things[record][mark]) for at, mark, _, _ in seen)
            gone = {
                word for stretch in stretches for word in stretch.said
                if word[0] == "claim" and (record, word[1]) not in batch.ties
            } if over else set[Word]()  # fmt: skip
            times[origin.scope].update(_turns(stretches, gone))
    return times


@dataclass(slots=True)
class Stretch:
    """Sightings in a row that say the same."""

    first: int
    last: int
    said: dict[Word, str]
    digest: bytes


def _stretches(seen: Iterable[tuple[int, Sighting]]) -> list[Stretch]:
    found: list[Stretch] = []
    for at, sighting in seen:
        if found and found[-1].digest == sighting.digest:
            found[-1].last = at
        else:
            found.append(Stretch(at, at, dict(_words(sighting)), sighting.digest))
    return found


def _words(sighting: Sighting) -> Iterator[tuple[Word, str]]:
    """Every single thing that a sighting says, and its value."""
    for said in (sighting.thing, *sighting.components):
        yield from _words_of(said)
    for claim in sighting.claims:
        yield ("claim", claim.key), as_json(dict(claim.value))


def _words_of(said: Said) -> Iterator[tuple[Word, str]]:
    yield ("there", said.record), str(said.section)
    for name, value in said.attributes.items():
        yield (said.record, name), as_json(value)
    for kind, values in said.identifiers.items():
        yield from (((said.record, kind, value), "") for value in values)
    yield from (((said.record, "index", *entry), "") for entry in said.index)


def _turns(stretches: Sequence[Stretch], gone: Collection[Word]) -> Iterator[int]:
    """The times at which something is said first, last, anew, otherwise before it, and not any more."""
    told: defaultdict[Word, list[int]] = defaultdict(list)
    for place, stretch in enumerate(stretches):
        for word in stretch.said.keys() - gone:
            told[word].append(place)
    yield from (stretches[0].first, stretches[-1].last)
    for word, places in told.items():
        yield stretches[places[0]].first
        yield stretches[places[-1]].last
        if places[-1] + 1 < len(stretches):
            yield stretches[places[-1] + 1].first
        yield from _begun(stretches, places, [stretches[place].said[word] for place in places])


def _begun(stretches: Sequence[Stretch], places: Sequence[int], values: Sequence[str]) -> Iterator[int]:
    """When the last value began, after another one and after silence, with what was before each."""
    start = len(values) - 1
    while start and values[start - 1] == values[-1]:
        start -= 1
    yield stretches[places[start]].first
    if start:
        yield stretches[places[start - 1]].last
    run = len(places) - 1
    while run and places[run - 1] == places[run] - 1:
        run -= 1
    yield stretches[places[run]].first
    if places[run]:
        yield stretches[places[run] - 1].last
