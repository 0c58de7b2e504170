"""Relations: the ends of claims are found among the CIs, in whatever order the two were discovered.

A far end that nobody is known to be stays open and is carried with the claim; so does one that several may be.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Any

from cmdb_server.ingest.batch import PORT_NAMING, Batch, Held, Tie
from cmdb_server.ingest.sighting import SOUGHT, as_json, sought
from cmdb_server.model import ids
from cmdb_server.model.connections import Endpoint, Holder, Listener, resolve_end
from cmdb_server.model.holding import owners
from cmdb_server.model.links import Port, meant, narrowed
from cmdb_server.store import tables
from cmdb_server.store.port import Row

Relation = tuple[str, str, str]
Entry = tuple[str, str]
KEYED = "key:"
"""How a far end begins that names a CI by its class and key."""


def resolve(batch: Batch) -> set[Relation]:
    """Find the ends of the claims that may have changed. Gives the relations to be counted again."""
    _load_ties(batch)
    touched = {tie.relation for tie in batch.dropped_ties.values()}
    ties = [batch.ties[key] for key in sorted(batch.stale_ties) if key in batch.ties]
    batch.load(
        {id_ for tie in ties for id_ in (tie.near, tie.record)} | {_named_record(tie.far) for tie in ties} - {""}
    )
    found = _Ends(batch, ties)
    for tie in ties:
        symmetric = batch.types[tie.type].symmetric
        ends = _in_order(batch.records[tie.near].ci, found.ci(tie), tie.value["way"], symmetric=symmetric)
        key = (tie.record, tie.key)
        # What is told of a link may come to be told better by another claim of it: see ``links``.
        if (tie.from_ci, tie.to_ci) != ends or key not in batch.settled or key in batch.dirty_ties or symmetric:
            touched.add(tie.relation)
            tie.from_ci, tie.to_ci = ends
            touched.add(tie.relation)
            batch.dirty_ties.add(key)
    touched.update(tie.relation for tie in _recounted(batch))
    return {relation for relation in touched if relation is not None}


def _in_order(near: str, far: str | None, way: str, *, symmetric: bool) -> tuple[str | None, str | None]:
    """Both ends as the relation has them: one without direction is the same, whichever of its ends tells of it."""
    if symmetric and far is not None:
        return min(near, far), max(near, far)
    return (near, far) if way == "out" else (far, near)


def _recounted(batch: Batch) -> list[Tie]:
    """The claims of CIs of whose records some came or went: whose word counts may be another's now."""
    members = batch.of_cis(batch.recount - {""})
    things = [held.id for some in members.values() for held in some if not held.parent]
    found = []
    for row in batch.tx.find(tables.TIE, ("record",), [(id_,) for id_ in things]):
        _take(batch, row)
        tie = batch.ties.get((row[0], row[1]))
        if tie is None:
            continue
        found.append(tie)
        if tie.far.startswith(KEYED):
            batch.unnamed.add(keyed_ci(tie.far))
    return found


def _load_ties(batch: Batch) -> None:
    """The claims told anew are in memory already; add those that wait for what appeared, and those that were loosened.
    What listens anew may be meant by any address of its host, whichever record of the host's bears it, and a port by
    any name of its device."""
    batch.listening |= {id_ for id_ in _joined(batch) if _has_ports(batch, id_)}
    batch.load(batch.listening)
    hosts = {held.ci for id_ in batch.listening if (held := batch.records.get(id_)) is not None}
    things = {held.id for some in batch.of_cis(hosts).values() for held in some} if hosts else set()
    for kind, value, *_ in batch.tx.find(tables.IDENTIFIER, ("record",), [(id_,) for id_ in things]):
        batch.wake(kind, value)
    asking = batch.tx.find(tables.TIE, ("far",), [(far,) for far in batch.woken])
    seekers = batch.tx.find(tables.IDENTIFIER, ("kind", "value"), [(SOUGHT, far) for far in batch.woken])
    if seekers:
        told = batch.tx.find(tables.TIE, ("record",), {(row[2],) for row in seekers})
        asking += [row for row in told if "identifiers" in row[5]]
    for row in asking:
        _take(batch, row)
        batch.stale_ties.add((row[0], row[1]))
    missing = [key for key in batch.stale_ties if key not in batch.ties and key not in batch.dropped_ties]
    for row in batch.tx.get(tables.TIE, missing).values() if missing else ():
        _take(batch, row)


def _take(batch: Batch, row: Row) -> None:
    key = (row[0], row[1])
    if key not in batch.ties and key not in batch.dropped_ties:
        batch.ties[key] = Tie(*row)
        batch.settled.add(key)


def _joined(batch: Batch) -> set[str]:
    """The things that came to others, or left them."""
    records = {*batch.moved, *(record for record, _, ci in batch.members if ci != record)}
    return {id_ for id_ in records if not batch.records[id_].parent}


def _has_ports(batch: Batch, thing: str) -> bool:
    return any(batch.is_port(part) for part in batch.components([thing]).get(thing, ()))


class _Ends:
    """The far ends of many claims, looked up together."""

    def __init__(self, batch: Batch, ties: Iterable[Tie]) -> None:
        self.batch = batch
        told = list(ties)
        self.batch.load({tie.record for tie in told})
        entries = {
            _entry(name) for tie in told if not tie.far.startswith(("r:", "ci:", KEYED)) for name in self._names(tie)
        }
        self.keyed_cis = batch.tx.get(tables.CI, [(tie.far[3:],) for tie in told if tie.far.startswith("ci:")])
        self.holders: dict[Entry, list[Row]] = {}
        for row in batch.tx.find(tables.IDENTIFIER, ("kind", "value"), entries) if entries else ():
            self.holders.setdefault((row[0], row[1]), []).append(row)
        batch.load({row[2] for rows in self.holders.values() for row in rows})
        held = [batch.records[row[2]] for rows in self.holders.values() for row in rows]
        batch.load_lanes(held)
        self.listeners = self._listeners(told)
        self.ports: dict[str, list[Port]] = {}
        self.groups: set[str] = set()

    def ci(self, tie: Tie) -> str | None:
        """The CI at the far end, or None."""
        if record := _named_record(tie.far):
            held = self.batch.records.get(record)
            if held is None and (record,) in self.keyed_cis:
                return record
            return held.ci if held is not None else None
        if tie.far.startswith(KEYED):
            return self._keyed(tie)
        cis = self._bearing(tie)
        if tie.far.startswith("address:") and "port" in tie.value:
            return self._behind(tie, cis)
        if len(cis) != 1:
            return None
        return self._component(tie, cis[0])

    def _keyed(self, tie: Tie) -> str:
        ci = keyed_ci(tie.far)
        self.batch.named.setdefault(ci, {})[(tie.record, tie.key)] = tie
        return ci

    def _names(self, tie: Tie) -> list[str]:
        return sought(tie.value, self.batch.records[tie.record].site)

    def _bearing(self, tie: Tie) -> list[str]:
        """The CIs that the claim may mean, by the first of its names that leaves one alone."""
        cis: list[str] = []
        for name in self._names(tie):
            cis = narrowed(cis, self._holding(tie, _entry(name)))
            if len(cis) == 1:
                break
        return cis

    def _holding(self, tie: Tie, entry: Entry) -> list[str]:
        """The CIs that held the entry when the claim was last made: those whose time with it covers that moment, or
        else come nearest to it. Where several did, whom the claim means depends on when it is made."""
        at = tie.last_at if tie.last_at is not None else self.batch.seen_last(self.batch.records[tie.record])
        holding = [(self.batch.records[row[2]], row) for row in self.holders.get(entry, ())]
        if len({held.ci for held, _ in holding}) > 1:
            # So it does on how long each of them is still seen to hold it.
            for held in (self.batch.records[tie.record], *(held for held, _ in holding)):
                self.batch.contest(held)
        holders = [(held.ci, row[3], self._until(held, row[4])) for held, row in holding]
        groups = groups_of(self.batch, holding)
        self.groups.update(groups)
        return owners(holders, groups, at)

    def _until(self, held: Held, last: int | None) -> int:
        """Until when the record bore an entry: until it was last seen, unless it dropped the entry before."""
        seen = self.batch.seen_last(held)
        return seen if last is None else min(last, seen)

    def _listeners(self, ties: Iterable[Tie]) -> dict[str, list[Held]]:
        """CI -> its application records, for the CIs that hold the addresses asked for."""
        asked = [tie for tie in ties if tie.far.startswith("address:") and "port" in tie.value]
        cis = {self.batch.records[row[2]].ci for tie in asked for row in self.holders.get(_entry(tie.far), ())}
        members = self.batch.of_cis(cis) if cis else {}
        ports = {f"{tie.value['protocol']}|{tie.value['port']}" for tie in asked}
        wanted = {
            ("listens", f"{held.id}|{port}"): ci for ci, some in members.items() for held in some for port in ports
        }
        rows = self.batch.tx.find(tables.IDENTIFIER, ("kind", "value"), wanted) if wanted else []
        self.batch.load({row[2] for row in rows})
        found: dict[str, list[Held]] = {}
        for row in rows:
            found.setdefault(wanted[(row[0], row[1])], []).append(self.batch.records[row[2]])
        return found

    def _behind(self, tie: Tie, cis: Collection[str]) -> str | None:
        """Who listened at that address and port; their host where no application is known to."""
        address = tie.far.partition("|")[2]
        end = Endpoint(address, tie.value["port"], tie.value["protocol"])
        holders = [Holder(ci, tuple(self._sockets(self.listeners.get(ci, ()))), ci in self.groups) for ci in cis]
        return resolve_end(end, holders).ci

    def _sockets(self, applications: Iterable[Held]) -> Iterable[Listener]:
        there = list(applications)
        for held in [one for one in there if one.ended_at is None] or there:
            for text in held.attributes.get("listens", ([],))[0]:
                if (listener := Listener.parse(held.ci, text)) is not None:
                    yield listener

    def _component(self, tie: Tie, ci: str) -> str:
        """A far end that names an interface too (LLDP, CDP) is that interface, where it is known."""
        told = tie.value.get("identifiers", {})
        if not (told.get("if_name") or told.get("if_mac")):
            return ci
        if ci not in self.ports:
            self.ports[ci] = list(self._ports(ci))
        return meant(self.ports[ci], told) or ci

    def _ports(self, ci: str) -> Iterable[Port]:
        """The ports of a device, those that are there before those that are gone."""
        members = self.batch.of_cis([ci])[ci]
        parts = self.batch.components([held.id for held in members])
        ports = [part for some in parts.values() for part in some if self.batch.is_port(part)]
        for part in [one for one in ports if one.ended_at is None] or ports:
            *names, mac, index = (part.attributes.get(name, (None,))[0] for name in PORT_NAMING)
            yield Port(part.ci, (part.local_key, *(str(name) for name in names if name)), str(mac or ""), index)


def groups_of(batch: Batch, holding: Iterable[tuple[Held, Row]]) -> dict[str, tuple[int, float]]:
    """Of those who bear an entry, by their rows of IDENTIFIER, the CIs that several boxes make up -> since and until
    when each does, ms: for as long as it is known to be there, since any of its boxes may be the one that is asked."""
    found: dict[str, tuple[int, float]] = {}
    for held, row in holding:
        if batch.is_group(held):
            until = min(math.inf if end is None else end for end in (row[4], held.ended_at))
            first, last = found.get(held.ci, (row[3], until))
            found[held.ci] = min(first, row[3]), max(last, until)
    return found


def keyed_ci(far: str) -> str:
    """The CI that comes to be by being named so."""
    class_, _, key = far.removeprefix(KEYED).partition("|")
    return ids.keyed_id(class_, key)


def told_anew(batch: Batch, tie: Tie) -> None:
    """A claim says something else of what it names than it did: what is known of that is gathered again."""
    if tie.far.startswith(KEYED):
        batch.unnamed.add(keyed_ci(tie.far))


def _named_record(far: str) -> str:
    """The record that a far end names outright: one of its own observation, or a CI by any of its ids."""
    kind, _, value = far.partition(":")
    return value if kind in ("r", "ci") else ""


def _entry(far: str) -> Entry:
    kind, _, value = far.partition(":")
    return kind, value


def keyed(batch: Batch) -> set[str]:
    """Write the CIs that come to be by being named. Gives those that nobody names any more."""
    lost = {keyed_ci(tie.far) for tie in batch.dropped_ties.values() if tie.far.startswith(KEYED)}
    silent = batch.silent({tie.record for ties in batch.named.values() for tie in ties.values()})
    lost |= batch.unnamed | {ci for ci, ties in batch.named.items() if any(t.record in silent for t in ties.values())}
    wanted = set(batch.named) | lost
    if not wanted:
        return set()
    known = batch.tx.get(tables.CI, [(ci,) for ci in wanted])
    left = _naming(batch, lost)
    silent |= batch.silent({tie.record for ties in left.values() for tie in ties})
    rows, gone = [], set()
    for ci in sorted(wanted):
        told = {(tie.record, tie.key): tie for tie in left.get(ci, ())} | batch.named.get(ci, {})
        naming = [tie for tie in told.values() if tie.record not in silent]
        old = known.get((ci,))
        if not naming:
            if old is not None:
                gone.add(ci)
                batch.changed("ci", ci, deleted=True)
            continue
        row = _keyed_row(batch, ci, naming, None if ci in lost else old)
        if old is None or (*row[:6], *row[7:]) != (*old[:6], *old[7:]):
            rows.append(row)
            batch.changed("ci", ci)
    batch.tx.put(tables.CI, rows)
    return gone


def _naming(batch: Batch, cis: Collection[str]) -> dict[str, list[Tie]]:
    """The claims that still name these CIs, as the store has them."""
    left: dict[str, list[Tie]] = {}
    for column in ("to_ci", "from_ci"):
        for row in batch.tx.find(tables.TIE, (column,), [(ci,) for ci in cis]) if cis else ():
            tie = batch.ties.get((row[0], row[1])) or Tie(*row)
            if (row[0], row[1]) not in batch.dropped_ties and tie.far.startswith(KEYED):
                left.setdefault(keyed_ci(tie.far), []).append(tie)
    return left


def _keyed_row(batch: Batch, ci: str, naming: Iterable[Tie], old: Row | None) -> Row:
    """The fullest word about it wins, whoever said it and when. ``old``: what others had said, if all of them still do."""
    told = list(naming)
    class_, _, key = told[0].far.removeprefix(KEYED).partition("|")
    first = min([tie.first_at for tie in told] + ([old[4]] if old is not None else []))
    attributes: dict[str, Any] = {}
    for one in [*(tie.value.get("attributes", {}) for tie in told), old[5] if old is not None else {}]:
        for name, value in one.items():
            if name not in attributes or as_json(value) > as_json(attributes[name]):
                attributes[name] = value
    if (key_name := batch.kinds[class_].key) is not None:
        attributes[key_name] = key
    name = attributes.get("name")
    label = name if isinstance(name, str) else key
    return (ci, class_, label, "", first, dict(sorted(attributes.items())), batch.tx.revision, None, 0)
