"""One CI's past: what its records said, when they were there, which records it held, what befell it, what people
decided about it.

All of it is found by the CI's own records, so that the cost is that of its history, however large the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal

from cmdb_server.answers.befallen import befallen
from cmdb_server.answers.causes import Cause, causes
from cmdb_server.ingest import ruling, tenure
from cmdb_server.ingest.apply import PRESENCE
from cmdb_server.ingest.courses import Course
from cmdb_server.ingest.declare import resolve, resolve_all
from cmdb_server.ingest.ruling import D
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store

Kind = Literal["attribute", "presence", "relation", "membership", "decision", "event"]
KINDS: tuple[Kind, ...] = ("attribute", "presence", "relation", "membership", "decision", "event")
IDENTIFIERS = tables.RECORD.position("identifiers")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to a CI. ``at``: when it held from (valid, ms); the cause tells when it was recorded, by
    whom. ``name`` by ``kind``: the attribute; ``seen`` or ``gone``; the relation's type; ``joined`` or ``left``; the
    verb; ``reinstalled``, ``mainboard-replaced`` or ``renamed`` by the time ``at``. ``value`` and ``before``: what it is
    and was; of a membership the CI that the record came from or went to, of an event the evidence by kind."""

    kind: Kind
    name: str
    record: str
    at: int
    revision: int
    value: Any = None
    before: Any = None
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Some of a CI's past, what was recorded last first. ``cursor`` continues it; None at its end."""

    ci: str
    entries: tuple[Entry, ...]
    cursor: str | None
    revision: int


def timeline(
    store: Store, ci: str, kinds: Iterable[str] = (), cursor: str | None = None, limit: int = 100,
    then: Callable[[Reading], Reading] = lambda tx: tx,
) -> Timeline:  # fmt: skip
    """A CI's past, by any id that ever stood for it. ``kinds``: only these. ``then``: the reading as of a time. Raises
    NotFound."""
    wanted = frozenset(kinds) or frozenset(KINDS)

    def work(reading: Reading) -> Timeline:
        tx = then(reading)
        id_ = resolve(tx, ci)
        ordered = sorted((one for one in _entries(tx, id_) if one.kind in wanted), key=_newest_first)
        start = 0 if cursor is None else next((n for n, place in _places(ordered) if place == cursor), -1) + 1
        page = ordered[start : start + limit]
        told = causes(tx, {one.revision for one in page})
        last = next((place for n, place in _places(ordered) if n == start + limit - 1), None)
        return Timeline(
            id_, tuple(_caused(one, told) for one in page), last if start + limit < len(ordered) else None, tx.revision
        )

    return store.read(work)


def _newest_first(entry: Entry) -> tuple[Any, ...]:
    return (-entry.revision, -entry.at, KINDS.index(entry.kind), entry.record, entry.name)


def _places(ordered: Iterable[Entry]) -> Iterator[tuple[int, str]]:
    """(index, name) of each entry: revision and number within it, which newer entries leave as they are."""
    index = 0
    for revision, some in groupby(ordered, key=lambda entry: entry.revision):
        for number, _ in enumerate(some):
            yield index, f"{revision}.{number}"
            index += 1


def _caused(entry: Entry, told: Mapping[int, Cause]) -> Entry:
    """A membership was valid whenever it was known: it has no other time than that of its cause."""
    cause = told[entry.revision]
    return replace(entry, cause=cause, at=entry.at or cause.recorded_at or 0)


def _entries(tx: Reading, ci: str) -> Iterator[Entry]:
    records = {row[0]: row for row in tx.find(tables.RECORD, ("ci",), [(ci,)])}
    former = {row[0] for row in tx.find(tables.MEMBERSHIP, ("ci",), [(ci,)])}
    lent = tenure.once_of(tx, records)
    told = tenure.known(tx, records.keys() | lent)
    courses = {id_: _resolved(tx, course, ci, mine=id_ in records) for id_, course in told.items()}
    keys = [(id_,) for id_ in sorted(records.keys() | courses.keys())]
    said = (*_facts(tx.find(tables.FACT, ("record",), keys)), *_claims(tx.find(tables.CLAIM, ("record",), keys)))
    yield from (one for one in said if one.record not in courses or _is_mine(courses[one.record], one.at))
    yield from _tenures(tx, ci, courses)
    yield from _memberships(tx, ci, former | records.keys())
    yield from _decisions(tx, records, former)
    for one, revision in befallen(tx, ci, records):
        yield Entry("event", one.name, one.record, one.at, revision, one.value, one.before)


def _resolved(tx: Reading, course: Course, ci: str, *, mine: bool) -> list[tuple[int, bool]]:
    """(since, whether the record was this CI's)."""
    holders = resolve_all(tx, {one for _, one in course if one is not None})
    return [(at, mine if one is None else holders.get(one) == ci) for at, one in course]


def _is_mine(course: list[tuple[int, bool]], at: int) -> bool:
    return next((mine for since, mine in reversed(course) if since <= at), course[0][1])


def _tenures(tx: Reading, ci: str, courses: Mapping[str, list[tuple[int, bool]]]) -> Iterator[Entry]:
    """A record that proves nothing came to this CI, or went to another, when somebody else held the place."""
    rows = tx.find(tables.FACT, ("record", "attribute"), [(id_, tenure.TENURE) for id_ in sorted(courses)])
    revisions = {(row[0], row[2]): row[3] for row in rows}
    for record, course in courses.items():
        before = False
        for at, mine in course:
            if mine != before:
                yield Entry("membership", "joined" if mine else "left", record, at, revisions[record, at], ci)
            before = mine


def _facts(rows: Iterable[Row]) -> Iterator[Entry]:
    for (record, attribute), told in groupby(rows, key=lambda row: (row[0], row[1])):
        before = None
        for _, _, at, revision, value in told:
            if attribute == PRESENCE:
                yield Entry("presence", "gone" if isinstance(value, list) else "seen", record, at, revision)
            elif attribute != tenure.TENURE:
                yield Entry("attribute", attribute, record, at, revision, value, before)
                before = value


def _claims(rows: Iterable[Row]) -> Iterator[Entry]:
    for (record, _), told in groupby(rows, key=lambda row: (row[0], row[1])):
        before: Mapping[str, Any] | None = None
        for _, _, at, revision, _, value in told:
            type_ = (value or before or {}).get("type", "")
            yield Entry("relation", type_, record, at, revision, value, before)
            before = value


def _memberships(tx: Reading, ci: str, records: Iterable[str]) -> Iterator[Entry]:
    rows = tx.find(tables.MEMBERSHIP, ("record",), [(id_,) for id_ in sorted(records)])
    for record, told in groupby(rows, key=lambda row: row[0]):
        before = None
        for _, revision, held_by in told:
            if held_by == ci:
                yield Entry("membership", "joined", record, 0, revision, held_by, before)
            elif before == ci:
                yield Entry("membership", "left", record, 0, revision, held_by, before)
            before = held_by


def _decisions(tx: Reading, records: Mapping[str, Row], former: set[str]) -> Iterator[Entry]:
    """Decisions that name a record or a value of the CI, and what undid them. People decide seldom: all are read."""
    rows = sorted(ruling.rows(tx), key=lambda row: (row[D["revision"]], row[D["at"]], row[D["id"]]))
    mine = records.keys() | former
    about: dict[str, str] = {}
    for row in rows:
        hit = next((id_ for id_ in ruling.named(row) if id_ in mine), None)
        if hit is None and row[D["undoes"]] in about:
            hit = about[row[D["undoes"]]]
        if hit is None and (value := row[D["body"]].get("value")):
            hit = next((id_ for id_, one in records.items() if value[1] in one[IDENTIFIERS].get(value[0], ())), None)
        if hit is not None:
            about[row[D["id"]]] = hit
            value = {"id": row[D["id"]], **row[D["body"]]} | ({"undoes": row[D["undoes"]]} if row[D["undoes"]] else {})
            yield Entry("decision", row[D["verb"]], hit, row[D["at"]], row[D["revision"]], value)
