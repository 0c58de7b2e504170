"""The graph as it was, and as it was known: read from the history alone.

``at``: facts and presence observed by then. ``known_at``: everything recorded by then, identity included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.life import Life
from cmdb_server.answers.past_ends import PastEnds
from cmdb_server.errors import NotFound
from cmdb_server.ingest.apply import PRESENCE
from cmdb_server.ingest.items import contained_by
from cmdb_server.ingest.sighting import Kinds
from cmdb_server.model.presence import Run, stage
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row

R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}
PAGE = 5000
FOREVER = 1 << 62


@dataclass(slots=True)
class PastRecord:
    """A record as it was: what it said, and since when it has been there or gone."""

    row: Row
    ci: str
    values: dict[str, tuple[int, Any]] = field(default_factory=dict)
    first_at: int = 0
    changed_at: int = 0
    gone: bool = False


@dataclass(slots=True)
class Graph:
    """CIs (rows of the CI table by id) and relations (rows of RELATION) at one time, as known at one revision."""

    cis: dict[str, Row]
    relations: list[Row]
    records: dict[str, PastRecord]
    revision: int
    kinds: Kinds

    def resolve(self, id_: str) -> str:
        """The CI an id stood for. Raises NotFound."""
        if id_ in self.cis:
            return id_
        record = self.records.get(id_)
        if record is None or record.ci not in self.cis:
            raise NotFound(f"no CI {id_!r} then")
        return record.ci

    def life(self, ci: str, now: int) -> Life:
        """How alive the CI was."""
        row = self.cis[ci]
        members = [record for record in self.records.values() if record.ci == ci]
        class_ = self.kinds[row[1]]
        if not members:
            return Life("current", None, "")
        runs = [
            Run(one.first_at, one.changed_at if one.gone else now, one.changed_at if one.gone else None)
            for one in members
        ]
        last = max(run.last for run in runs) if class_.discovered else None
        return Life(stage(runs, class_.life, now).stage, last, min(str(one.row[R["site"]]) for one in members))


def revision_at(tx: Reading, known_at: int) -> int:
    """The newest revision recorded by ``known_at`` (ms), by the times of the reports."""
    received = tables.REPORT.position("received_at")
    low, high = 0, tx.revision
    while low < high:
        middle = (low + high) // 2
        rows = tx.scan(tables.REPORT, (middle,), 1)
        if rows and rows[0][0] <= high and rows[0][received] <= known_at:
            low = rows[0][0]
        else:
            high = middle
    return low


def graph_at(tx: Reading, at: int | None, known_at: int | None, kinds: Kinds | None = None) -> Graph:
    """The graph at ``at`` (ms; None: now) as known at ``known_at`` (ms; None: now)."""
    revision = tx.revision if known_at is None else revision_at(tx, known_at)
    until = FOREVER if at is None else at
    records = _records(tx, revision)
    _fill(tx, records, until, revision)
    present = {id_: record for id_, record in records.items() if record.values}
    known = kinds or classes()
    cis = _cis(present, known)
    relations = list(_relations(tx, present, cis, until, revision, known))
    return Graph(cis, relations, present, revision, known)


def pages(tx: Reading, table: tables.Table) -> Iterator[Row]:
    """All rows of a table in key order."""
    places = [table.position(column) for column in table.key]
    after = None
    while rows := tx.scan(table, after, PAGE):
        yield from rows
        after = tuple(rows[-1][place] for place in places)


def _records(tx: Reading, revision: int) -> dict[str, PastRecord]:
    """The records known by then, each with the CI that held it."""
    home: dict[str, str] = {}
    for record, known, ci in pages(tx, tables.MEMBERSHIP):
        if known <= revision:
            home[record] = ci
    return {row[0]: PastRecord(row, home[row[0]]) for row in pages(tx, tables.RECORD) if row[0] in home}


def _fill(tx: Reading, records: Mapping[str, PastRecord], until: int, revision: int) -> None:
    """What each record said by then. Rows come by record, attribute, time and revision: the last that fits counts."""
    for record, attribute, at, known, value in pages(tx, tables.FACT):
        past = records.get(record)
        if past is None or at > until or known > revision:
            continue
        past.values[attribute] = (at, value)
        if attribute == PRESENCE:
            past.first_at = past.first_at or at
            past.changed_at, past.gone = at, isinstance(value, list)


def _cis(records: Mapping[str, PastRecord], kinds: Kinds) -> dict[str, Row]:
    members: dict[str, list[PastRecord]] = {}
    for record in records.values():
        members.setdefault(record.ci, []).append(record)
    cis: dict[str, Row] = {}
    for ci, some in members.items():
        cis[ci] = _ci(ci, some, records, kinds)
    return cis


def _ci(ci: str, members: list[PastRecord], records: Mapping[str, PastRecord], known: Kinds) -> Row:
    present = [one for one in members if not one.gone] or members
    class_ = min({one.row[R["class"]] for one in present}, key=lambda name: (-len(known[name].ancestors), name))
    best: dict[str, tuple[int, str, Any]] = {}
    for one in present:
        for name, (at, value) in one.values.items():
            if name != PRESENCE and value is not None and (name not in best or (at, one.row[0]) > best[name][:2]):
                best[name] = (at, one.row[0], value)
    attributes = {name: best[name][2] for name in sorted(best)}
    above = records.get(members[0].row[R["parent"]])
    ended = None if any(not one.gone for one in members) else max(one.changed_at for one in members)
    return (
        ci, class_, _name(attributes, members[0].row), above.ci if above is not None else "",
        min(one.first_at for one in members), attributes, 0, ended,
    )  # fmt: skip


def _name(attributes: Mapping[str, Any], row: Row) -> str:
    for attribute in ("name", "fqdn", "label", "hostname"):
        if isinstance(value := attributes.get(attribute), str) and value:
            return value
    names = row[R["identifiers"]].get("fqdn") or row[R["identifiers"]].get("name")
    return str(names[0] if names else row[R["local_key"]] or row[R["native_key"]] or row[R["target"]])


def _relations(
    tx: Reading,
    records: Mapping[str, PastRecord],
    cis: dict[str, Row],
    until: int,
    revision: int,
    kinds: Kinds,
) -> Iterator[Row]:
    claims: dict[tuple[str, str], tuple[int, Any]] = {}
    for record, key, at, known, _, value in pages(tx, tables.CLAIM):
        if record in records and at <= until and known <= revision:
            claims[(record, key)] = (at, value)
    standing = [(record, at, value) for (record, _), (at, value) in claims.items() if value is not None]
    ends = PastEnds(tx, {id_: record.ci for id_, record in records.items()}, until, cis)
    found: dict[tuple[str, str, str], list[tuple[int, Mapping[str, Any]]]] = {}
    for _, at, value in standing:
        near, far = records[value["near"]].ci, ends.ci(at, value)
        if far is not None and far != near:
            pair = (near, far) if value["way"] == "out" else (far, near)
            found.setdefault((pair[0], value["type"], pair[1]), []).append((at, value))
    for relation, carried in found.items():
        yield _relation(relation, carried)
    for row in list(cis.values()):
        inherent = contained_by(kinds, row[0], row[3], row[1]) if row[3] else None
        if inherent is not None and inherent not in found:
            yield (*inherent, None, 1, 1.0, row[4], 0, 0)


def _relation(relation: tuple[str, str, str], carried: Iterable[tuple[int, Mapping[str, Any]]]) -> Row:
    told = list(carried)
    groups = sorted({value["group"] for _, value in told if value.get("group")})
    return (
        *relation, groups[0] if groups else None, max(value.get("weight", 1) for _, value in told),
        max(float(value.get("confidence", 1.0)) for _, value in told), min(at for at, _ in told), len(told), 0,
    )  # fmt: skip
