"""The search for all that may be one thing with some records, over the inverted index: cost follows what is found, not
the estate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from cmdb_server.ingest.batch import Batch, Held
from cmdb_server.ingest.entries import record
from cmdb_server.ingest.ruling import Ruled
from cmdb_server.model import identity
from cmdb_server.model.components import CALLED, PLACE, VOID, WEAK
from cmdb_server.model.decisions import distrusted
from cmdb_server.model.record import Value
from cmdb_server.model.weighing import shipped
from cmdb_server.store import tables

STRONG = frozenset(shipped().strong)


class Search:
    """Breadth-first, all seeds at once. ``void``: values met that identify nothing; once a value is found so, it is for
    good, and that is kept in the index so that its holders are never read again. ``doubtful``: records that were found
    to prove nothing although they bear strong evidence."""

    def __init__(self, batch: Batch, ruled: Ruled) -> None:
        self.batch = batch
        self.void: set[Value] = set(distrusted(ruled.decisions))
        self.doubtful: set[str] = set()
        self._home: dict[str, str] = {}
        self._met: set[Value] = set()
        self._joined: set[Value] = set()
        self._holders: defaultdict[Value, list[str]] = defaultdict(list)
        self._anchored: defaultdict[str, set[str]] = defaultdict(set)
        for decision in ruled.decisions:
            if decision.verb == "merge":
                named = {id_ for side in decision.sides for id_ in side}
                for id_ in named:
                    self._anchored[id_] |= named

    def components(self, seeds: Iterable[str]) -> list[list[Held]]:
        """The components of the seeds, each once."""
        frontier = list(seeds)
        for id_ in frontier:
            self._home.setdefault(id_, id_)
        while frontier:
            frontier = self._step(frontier)
        groups: defaultdict[str, list[Held]] = defaultdict(list)
        for id_ in self._home:
            if id_ in self.batch.records:
                groups[self._root(id_)].append(self.batch.records[id_])
        return list(groups.values())

    def _step(self, frontier: Iterable[str]) -> list[str]:
        """Join the frontier with whoever shares its values. Gives the records that are new."""
        self.batch.load(frontier)
        asking = [self.batch.records[id_] for id_ in frontier if id_ in self.batch.records]
        keys = {held.id: self._keys(held) for held in asking}
        known = set(self._home)
        turned = self._look_up({key for found in keys.values() for key in found} - self._met)
        for id_, found in keys.items():
            for key in found:
                if self._joins(key):
                    holders = self._holders.get(key, [])
                    self._join(id_, holders[:1] if key in self._joined else holders)
                    self._joined.add(key)
            self._join(id_, self._anchored.get(id_, ()))
        for id_ in turned:  # what a value held together until now is decided anew without it
            self._home.setdefault(id_, id_)
        return [id_ for id_ in self._home if id_ not in known]

    def _keys(self, held: Held) -> list[Value]:
        view = record(self.batch, held, ((held.first_at, held.first_at),))
        keys = list(identity.link_keys(view))
        if (where := identity.place(view)) is not None:
            keys += [where, (WEAK, where[1])]
        names = identity.full_names(view)
        if view.declared:
            keys += [(kind, name) for name in names for kind in ("name", "fqdn")]
        keys += [(CALLED, name) for name in names]
        return keys

    def _look_up(self, fresh: set[Value]) -> list[str]:
        """Read who holds these values. Gives the holders of those that are found to be void now."""
        self._met |= fresh
        tx = self.batch.tx
        marks = {(VOID, f"{kind} {value}"): (kind, value) for kind, value in fresh if kind in STRONG}
        for row in tx.find(tables.IDENTIFIER, ("kind", "value"), marks) if marks else ():
            self.void.add(marks[(row[0], row[1])])
        for row in tx.find(tables.IDENTIFIER, ("kind", "value"), fresh - self.void):
            self._holders[(row[0], row[1])].append(row[2])
            if row[0] == WEAK:
                self.doubtful.add(row[2])
        shared = [key for key in fresh if len(self._holders.get(key, ())) > 1]
        self.batch.load({id_ for key in shared for id_ in self._holders[key]})
        return self._void(key for key in shared if key[0] in STRONG)

    def _void(self, shared: Iterable[Value]) -> list[str]:
        turned: list[str] = []
        for kind, value in shared:
            held = [self.batch.records[id_] for id_ in self._holders[(kind, value)]]
            if identity.voids(kind, [record(self.batch, h, ((h.first_at, h.first_at),)) for h in held]):
                self.void.add((kind, value))
                self.batch.tx.put(tables.IDENTIFIER, [(VOID, f"{kind} {value}", "", 0, None)])
                turned += self._holders[(kind, value)]
        return turned

    def _joins(self, key: Value) -> bool:
        """Whether this value joins its holders. A place does where one of them has nothing else to go by."""
        if key in self.void:
            return False
        if key[0] != PLACE:
            return True
        return bool(self._holders.get((WEAK, key[1]))) or self._proves_nothing(self._holders.get(key, ()))

    def _proves_nothing(self, ids: Iterable[str]) -> bool:
        records = self.batch.records
        return any(STRONG.isdisjoint(records[id_].identifiers) for id_ in ids if id_ in records)

    def _join(self, id_: str, others: Iterable[str]) -> None:
        root = self._root(id_)
        for other in others:
            self._home.setdefault(other, other)
            there = self._root(other)
            if there != root:
                self._home[max(root, there)] = min(root, there)
                root = min(root, there)

    def _root(self, id_: str) -> str:
        home = self._home
        while home[id_] != id_:
            home[id_] = home[home[id_]]
            id_ = home[id_]
        return id_


def doubt(batch: Batch, component: Sequence[Held], weak: Mapping[str, str], doubtful: set[str]) -> set[str]:
    """Keep in the index which records prove nothing although they bear strong evidence: only what joins can tell. Gives
    those found so for the first time. ``weak``: record -> its place."""
    bearing = {held.id for held in component if not STRONG.isdisjoint(held.identifiers)}
    now = {id_: place for id_, place in weak.items() if id_ in bearing}
    new = now.keys() - doubtful
    if new:
        batch.tx.put(tables.IDENTIFIER, [(WEAK, now[id_], id_, 0, None) for id_ in sorted(new)])
    former = {held.id for held in component if held.id in doubtful and held.id not in now}
    if former:
        gone = [(WEAK, where[1], held.id) for held in component if held.id in former and (where := _place(batch, held))]
        batch.tx.delete(tables.IDENTIFIER, gone)
    return set(new)


def _place(batch: Batch, held: Held) -> Value | None:
    return identity.place(record(batch, held, ((held.first_at, held.first_at),)))
