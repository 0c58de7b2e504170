"""The present projection of a store: built once, then brought forward by the change feed before it answers."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import replace
from threading import Lock

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.projection.attributes import AttributeColumns, Attributes
from cmdb_server.projection.build import build
from cmdb_server.projection.feed import RelationKey, changed
from cmdb_server.projection.membership import Memberships
from cmdb_server.projection.overlay import Changes, with_cis, with_relations
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import Rules
from cmdb_server.projection.scratch import Pool
from cmdb_server.projection.sharing import Sharing
from cmdb_server.projection.snapshot import Snapshot
from cmdb_server.store.bounds import HISTORY, bound
from cmdb_server.store.draft import Draft
from cmdb_server.store.partial import whole
from cmdb_server.store.port import Reading, Row, Store
from cmdb_server.store.tables import CI, RELATION

REBUILD_AT = 0.25
"""A feed that names more than this share of the estate costs more to follow than to build anew."""
PAST_VIEWS = 4
ADOPTING = 5
"""How often a projection is brought forward to where the one in use is."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Projections:
    """One store's projections, for all threads of a process. ``clock`` tells milliseconds. ``attributes``: the columns
    of what CIs say, in the numbering of ``current``. ``memberships``: what services stand on by rule. ``sharing``: how
    other processes have part in the memory, where they have."""

    def __init__(
        self, store: Store, rules: Rules | None = None, clock: Callable[[], int] = now_ms,
        sharing: Sharing | None = None,
    ) -> None:  # fmt: skip
        self.store = store
        self.rules = rules or Rules.of(relation_types(), classes())
        self.clock = clock
        self.attributes = Attributes()
        self.memberships = Memberships()
        self.sharing = sharing
        self._lock = Lock()
        self._newest: Projection | None = None
        self._past: OrderedDict[Hashable, tuple[Projection, Draft]] = OrderedDict()

    def current(self, reading: Reading | None = None) -> Projection:
        """The projection of the newest revision, or of one newer than ``reading`` sees; of everything, whatever part
        ``reading`` tells."""
        return self._of(whole(reading)) if reading is not None else self.store.read(self._of)

    def past(self, key: Hashable, make: Callable[[], tuple[Projection, Draft]]) -> tuple[Projection, Draft]:
        """A view of the past, kept a while. ``key`` must name its times and its revision: the past may be corrected."""
        with self._lock:
            found = self._past.pop(key, None)
        found = found or make()
        with self._lock:
            self._past[key] = found
            while len(self._past) > PAST_VIEWS:
                self._past.popitem(last=False)
        return found

    def _of(self, reading: Reading) -> Projection:
        now = self.clock()
        with self._lock:
            if self._newest is None:
                self._newest = self._first(reading, now)
            if self._newest.revision < reading.revision or self._newest.retires_by(now):
                self._newest = brought_forward(self._newest, reading, now)
            newest = self._newest
        if self.sharing is not None:
            self.sharing.follow(newest, self)
        return newest

    def _first(self, reading: Reading, now: int) -> Projection:
        def make() -> Projection:
            return build(reading, self.rules, now)

        if self.sharing is None:
            return make()
        found = self.sharing.first(self.rules, reading.count(CI), make, self)
        if found.columns is not None:
            self.attributes.begin(found.columns)
        return found.projection

    def state(self) -> Snapshot:
        """The newest projection, with the columns that are held, unless the store moves on too fast for that."""

        def work(reading: Reading) -> Snapshot:
            projection = self._of(reading)
            same = projection.revision == reading.revision
            return Snapshot(projection, self.attributes.kept(projection, reading) if same else None)

        for _ in range(ADOPTING):
            found = self.store.read(work)
            if found.columns is not None or not self.held():
                break
        return found

    def adopt(self, found: Snapshot) -> bool:
        """Go on from this one, which is of this store and may be of any revision; False when the store moves on too fast
        for that. Those who ask wait no longer than it takes to put one in the other's place."""
        base = found.projection
        for _ in range(ADOPTING):
            base = self.store.read(lambda reading, base=base: brought_forward(base, reading, self.clock()))  # type: ignore[misc]
            with self._lock:
                if self._newest is None or self._newest.revision <= base.revision:
                    self._newest = replace(base, pool=Pool())
                    break
        else:
            return False
        if found.columns is not None:
            self._take(found.columns)
        return True

    def _take(self, columns: AttributeColumns) -> None:
        for _ in range(ADOPTING):
            if self.store.read(lambda reading: self.attributes.take(columns, self._of(reading), reading)):
                break

    def held(self) -> frozenset[Hashable]:
        """The names of the columns that a snapshot would have."""
        return self.attributes.names()


def brought_forward(old: Projection, reading: Reading, now: int) -> Projection:
    """``old`` at the revision of ``reading``; itself where that is older."""
    if reading.revision <= old.revision and not old.retires_by(now):
        return old
    if bound(reading, HISTORY).told.get("feed", 0) > old.revision:
        return build(reading, old.rules, now)
    cis, relations = changed(old.revision, reading)
    if not cis and not relations and not old.retires_by(now):
        return replace(old, revision=reading.revision)
    return with_changed(old, reading, cis, relations, now)


def with_changed(
    old: Projection, reading: Reading, cis: Collection[str], relations: Collection[RelationKey], now: int
) -> Projection:
    """``old`` with these CIs and relations as ``reading`` has them."""
    if len(cis) + len(relations) > REBUILD_AT * max(len(old) + len(old.members), 4096):
        return build(reading, old.rules, now)
    found = reading.get(CI, [(id_,) for id_ in cis])
    changes = Changes(max(reading.revision, old.revision), {id_: found.get((id_,)) for id_ in cis}, {})
    moved, anew = with_cis(old, changes, now)
    rows = _rows(reading, relations, [moved.id(ci) for ci in anew.tolist()], moved.rules)
    return with_relations(moved, old, Changes(changes.revision, changes.cis, rows), anew)


def _rows(reading: Reading, keys: Iterable[RelationKey], cis: list[str], rules: Rules) -> dict[RelationKey, Row | None]:
    """The relations of these keys, of their mirrors where impact flows both ways, and all of ``cis``."""
    both = {flow.name for flow in rules.flows if flow.impact == "both"}
    wanted = {*keys, *((to, type_, from_) for from_, type_, to in keys if type_ in both)}
    rows: dict[RelationKey, Row | None] = dict.fromkeys(wanted)
    rows.update(reading.get(RELATION, wanted))
    for end in ("from_ci", "to_ci"):
        for row in reading.find(RELATION, (end,), [(id_,) for id_ in cis]):
            rows[row[0], row[1], row[2]] = row
    mirrors = [(to, type_, from_) for from_, type_, to in rows if type_ in both and (to, type_, from_) not in rows]
    rows.update(reading.get(RELATION, mirrors))
    return rows
