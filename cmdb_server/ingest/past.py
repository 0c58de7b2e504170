"""The state as it was: the log up to a revision and a time, taken in anew by what takes in late reports.

What was and what is are thereby one computation: whatever ``late``, ``items``, ``ends`` and ``counts`` say of the present
they say of every past. Only who is who is read from the history, since it is a matter of what was known, not of what
was observed. The price follows the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cmdb_schemas.relations import relation_types
from cmdb_server.ingest import cluster, counts, ends, items, late, ruling, tenure
from cmdb_server.ingest.batch import Batch, Held, Lane
from cmdb_server.ingest.sighting import Kinds, Origin
from cmdb_server.store import tables
from cmdb_server.store.port import Key, Reading, Row
from cmdb_server.store.tables import Table

PAGE = 5000
LOGGED = (tables.CONTENT, tables.THING)
"""Rows that are named by their content, and the same at all times."""
P = {name: tables.REPORT.position(name) for name, _ in tables.REPORT.columns}


def pages(tx: Reading, table: Table) -> Iterator[Row]:
    """All rows of a table in key order."""
    places = [table.position(column) for column in table.key]
    after = None
    while rows := tx.scan(table, after, PAGE):
        yield from rows
        after = tuple(rows[-1][place] for place in places)


class PastTables:
    """One past state's tables, in memory but for the contents of reports. Answers as a transaction of a store does."""

    def __init__(self, tx: Reading, revision: int) -> None:
        self.revision = revision
        self._tx = tx
        self._rows: dict[Table, dict[Key, Row]] = defaultdict(dict)
        self._found: dict[tuple[Table, tuple[str, ...]], dict[Key, list[Key]]] = {}

    def get(self, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
        if table in LOGGED:
            return self._tx.get(table, keys)
        rows = self._rows[table]
        return {key: rows[key] for key in keys if key in rows}

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[Key]) -> list[Row]:
        way = (table, columns)
        if way not in self._found:
            places = [table.position(column) for column in columns]
            found: dict[Key, list[Key]] = {}
            for key, row in sorted(self._rows[table].items()):
                found.setdefault(tuple(row[place] for place in places), []).append(key)
            self._found[way] = found
        rows, index = self._rows[table], self._found[way]
        return [rows[key] for value in dict.fromkeys(values) if None not in value for key in index.get(value, ())]

    def scan(self, table: Table, after: Key | None = None, limit: int = 1000) -> list[Row]:
        keys = sorted(key for key in self._rows[table] if after is None or key > after)
        return [self._rows[table][key] for key in keys[:limit]]

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[Row]:
        place = table.position(column)
        rows = [row for _, row in sorted(self._rows[table].items()) if low < row[place] <= high]
        return iter(sorted(rows, key=lambda row: int(row[place])))

    def count(self, table: Table) -> int:
        return len(self._rows[table])

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        self.put(table, rows)

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        places = [table.position(column) for column in table.key]
        self._rows[table].update({tuple(row[place] for place in places): row for row in rows})
        self._forget(table)

    def delete(self, table: Table, keys: Iterable[Key]) -> None:
        for key in keys:
            self._rows[table].pop(key, None)
        self._forget(table)

    def forget_forever(self, table: Table, keys: Iterable[Key]) -> None:
        self.delete(table, keys)

    def _forget(self, table: Table) -> None:
        for way in [way for way in self._found if way[0] is table]:
            del self._found[way]


class PastBatch(Batch):
    """A unit of work that holds every record of the past state."""

    def of_cis(self, cis: Iterable[str]) -> dict[str, list[Held]]:
        found: dict[str, list[Held]] = {ci: [] for ci in cis}
        for row in self.tx.find(tables.RECORD, ("ci",), [(ci,) for ci in found]):
            found[row[10]].append(self.records[row[0]])
        return found


def state_at(tx: Reading, until: int, revision: int, kinds: Kinds, now: int | None = None) -> PastBatch:
    """All records, CIs and relations of ``until`` (ms) as known at ``revision``. ``now``: by when values are stale or
    fresh, if not by then."""
    past = PastTables(tx, revision)
    batch = PastBatch(past, kinds, dict(relation_types()), until if now is None else now)
    past.put(tables.REPORT, (row for row in pages(tx, tables.REPORT) if _told(row, until, revision)))
    past.put(tables.DECISION, (row for row in ruling.rows(tx) if _decided(row, until, revision)))
    observe(batch, past)
    _place(batch, tx, past, until)
    past.put(tables.LANE, [lane.row() for lane in batch.lanes.values()])
    batch.enter()
    batch.stale_cis = {held.ci for held in batch.records.values()}
    items.build(batch)
    touched = ends.resolve(batch)
    ends.keyed(batch)
    batch.tie_up()
    counts.count(batch, touched)
    return batch


def _told(row: Row, until: int, revision: int) -> bool:
    return bool(row[P["revision"]] <= revision and row[P["observed_at"]] <= until)


def _decided(row: Row, until: int, revision: int) -> bool:
    """What people deleted later was there before."""
    at = ruling.D
    return bool(row[at["revision"]] <= revision and (row[at["verb"]] != ruling.TOMBSTONE or row[at["at"]] <= until))


def observe(batch: PastBatch, past: PastTables) -> None:
    """Records, claims and what they are found by, from the reports."""
    origins: dict[str, Origin] = {}
    for row in past.scan(tables.REPORT, None, past.count(tables.REPORT)):
        origin = Origin(*(row[P[name]] for name in ("source", "site", "target", "probe", "scope")))
        origins[origin.scope] = origin
        _advance(batch, row, origin)
    neighbours: dict[tuple[str, str], dict[str, Origin]] = {}
    for scope, origin in origins.items():
        neighbours.setdefault((origin.source, origin.site), {})[scope] = origin
    for scopes in neighbours.values():
        _rebuild(batch, scopes)


def _advance(batch: PastBatch, row: Row, origin: Origin) -> None:
    """The lane of a part is its newest report's."""
    key = (origin.scope, row[P["part"]])
    known = batch.lanes.get(key)
    if known is None or known.observed_at < row[P["observed_at"]]:
        batch.lanes[key] = Lane(
            origin.scope, row[P["part"]], origin.source, origin.site, origin.target, origin.probe, row[P["agent"]],
            row[P["parts"]], row[P["scan"]], row[P["digest"]], row[P["observed_at"]], row[P["revision"]], [], [], {},
        )  # fmt: skip


def _rebuild(batch: PastBatch, scopes: Mapping[str, Origin]) -> None:
    """The records of one source at one site, which may drive one another from their addresses."""
    told = {scope: late.read_scope(batch, scope) for scope in scopes}
    things: dict[str, Any] = {}
    displacing: dict[str, list[tuple[int, str]]] = {}
    for scope, origin in scopes.items():
        own = late.things_of(batch, told[scope], told[scope].sightings, origin)
        for address, times in late.displacements({scope: told[scope]}, own).items():
            displacing.setdefault(address, []).extend(times)
        things |= own
    for scope, origin in scopes.items():
        for record in sorted(told[scope].sightings):
            late.Rebuilt(batch, origin, record, things[record], told[scope], displacing).write()
            batch.facts.clear()  # the history tells these already
            batch.claims.clear()


def _place(batch: PastBatch, tx: Reading, past: PastTables, until: int) -> None:
    """Every record in the CI that was known to hold it; of those that several held in turn, in that of the time."""
    ci_of: dict[str, str] = {}
    for record, known, ci in pages(tx, tables.MEMBERSHIP):
        if known <= past.revision:
            ci_of[record] = ci
    for id_, held in batch.records.items():
        held.ci = ci_of.get(id_, held.ci)
    _keep(batch, past)
    lent = {row[2] for row in tx.find(tables.IDENTIFIER, ("kind",), [(tenure.HELD,)])} & batch.records.keys()
    for id_, course in tenure.known(tx, lent, past.revision).items():
        holder = tenure.holder(course, until)
        if holder is not None:
            batch.place(batch.records[id_], ci_of.get(holder, holder))
    if batch.moved:
        _keep(batch, past)
        cluster.place_components(batch, {*batch.moved.values(), *(batch.records[id_].ci for id_ in batch.moved)})
        _keep(batch, past)


def _keep(batch: PastBatch, past: PastTables) -> None:
    past.put(tables.RECORD, [held.row() for held in batch.records.values()])
