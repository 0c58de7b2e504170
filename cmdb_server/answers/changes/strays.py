"""What discovery saw change outside of any booked change, from the change feed: what it costs follows what changed.

A scan tells what has come since the one before, so that a change excuses what is seen within a day of its end. What the
first report of a scope tells was there before, and a value that nobody told before is none that changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cmdb_server.answers.changes.excused import Excuses
from cmdb_server.answers.diff import RELATION, Change, Difference
from cmdb_server.ingest.entries import is_told_by_people
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row
from cmdb_server.store.tables import CI, FACT, FEED, RECORD, REPORT

MOST = 5000
"""Rows of the feed that are looked at in one go, and all the rest of the last revision among them."""
_C = {name: CI.position(name) for name, _ in CI.columns}
_R = {name: RECORD.position(name) for name, _ in RECORD.columns}
_P = {name: REPORT.position(name) for name, _ in REPORT.columns}


@dataclass(frozen=True, slots=True)
class Stray:
    """One difference that no change is about, as the report of ``revision`` observed it at ``at`` (ms). ``cis``: what it
    is a difference of, by the things that people know: a component's outermost parent."""

    revision: int
    at: int
    difference: Difference
    cis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Strays:
    """``items`` in order of the feed, of which ``rows`` were looked at, up to revision ``until``."""

    rows: int
    until: int
    items: tuple[Stray, ...]


def strays(tx: Reading, since: int, now_ms: int, most: int = MOST, until: int | None = None) -> Strays:
    """What was seen to change after revision ``since``, up to revision ``until``; None: the newest. What is found of a
    revision is the same whatever is looked at beside it."""
    rows, until = _feed(tx, since, tx.revision if until is None else until, most)
    looked = len(rows)
    reports = {key[0]: row for key, row in tx.get(REPORT, {(row[0],) for row in rows}).items()}
    told = {number: row for number, row in reports.items() if not is_told_by_people(row[_P["source"]])}
    told = dict(_not_the_first(tx, told))
    rows = [row for row in rows if row[0] in told]
    if not rows:
        return Strays(looked, until, ())
    looking = _Looking(tx, told, rows)
    excuses = Excuses(tx, looking.cis, now_ms)
    found = [one for one in looking.found() if not excuses.covers(one.at, one.difference)]
    return Strays(looked, until, tuple(found))


def _feed(tx: Reading, since: int, until: int, most: int) -> tuple[list[Row], int]:
    """Rows of the feed, revision by revision, and the last revision that all are there of."""
    rows: list[Row] = []
    for row in tx.between(FEED, "revision", since, until):
        if len(rows) >= most and row[0] != rows[-1][0]:
            return rows, rows[-1][0]
        rows.append(row)
    return rows, until


def _not_the_first(tx: Reading, reports: Mapping[int, Row]) -> Iterator[tuple[int, Row]]:
    """Those before which their part of their scope had told of something."""
    scopes = {(row[_P["scope"]],) for row in reports.values()}
    begun: dict[tuple[str, int], int] = {}
    for row in tx.find(RECORD, ("scope",), scopes):
        lane = row[_R["scope"]], row[_R["part"]]
        begun[lane] = min(begun.get(lane, row[_R["first_at"]]), row[_R["first_at"]])
    for number, row in reports.items():
        at = row[_P["observed_at"]]
        if begun.get((row[_P["scope"]], row[_P["part"]]), at) < at:
            yield number, row


class Cis:
    """CIs and what they are components of, each read once."""

    def __init__(self, tx: Reading, ids: Iterable[str]) -> None:
        self._tx, self._rows = tx, dict[str, Row]()
        self.load(ids)

    def load(self, ids: Iterable[str]) -> None:
        """Have these, and all that they are parts of, at hand."""
        new = set(ids) - self._rows.keys()
        while new:
            rows = self._tx.get(CI, [(id_,) for id_ in sorted(new)])
            self._rows |= {key[0]: row for key, row in rows.items()}
            new = {row[_C["parent"]] for row in rows.values() if row[_C["parent"]]} - self._rows.keys()

    def get(self, id_: str) -> Row | None:
        return self._rows.get(id_)

    def lineage(self, id_: str) -> list[str]:
        """The CI and all that it is a part of, the outermost last."""
        found = [id_]
        while (row := self._rows.get(found[-1])) is not None and row[_C["parent"]] and row[_C["parent"]] not in found:
            found.append(row[_C["parent"]])
        return found


class _Looking:
    """All that is looked at in one go, read table by table."""

    def __init__(self, tx: Reading, reports: Mapping[int, Row], rows: Sequence[Row]) -> None:
        self._tx, self._at = tx, {number: int(row[_P["observed_at"]]) for number, row in reports.items()}
        self._touched = {(row[0], row[2]) for row in rows if row[1] == "ci"}
        self._ties = [(row[0], tuple(row[2].split(" ")), bool(row[3])) for row in rows if row[1] == RELATION]
        self._facts = tx.find(FACT, ("revision",), [(number,) for number in sorted(reports)])
        self._records = {
            key[0]: row for key, row in tx.get(RECORD, {(fact[0],) for fact in self._facts}).items()
        }  # fmt: skip
        ends = [id_ for _, key, _ in self._ties for id_ in (key[0], key[2])]
        self.cis = Cis(tx, [*(id_ for _, id_ in self._touched), *ends])

    def found(self) -> Iterator[Stray]:
        """CIs that came, went or changed, then relations that came or went. What comes or goes does so with its
        parts."""
        changed = self._changed()
        whole = {place for place, one in changed.items() if one.change != "changed"}
        for (number, id_), difference in sorted(changed.items()):
            if any((number, above) in whole for above in self.cis.lineage(id_)[1:]):
                continue
            yield Stray(number, self._at[number], difference, (self.cis.lineage(id_)[-1],))
        yield from self._relations(whole)

    def _changed(self) -> dict[tuple[int, str], Difference]:
        """By revision and CI."""
        before, newest = self._before()
        values: dict[tuple[int, str], dict[str, tuple[object, object]]] = {}
        found: dict[tuple[int, str], Difference] = {}
        for record, attribute, at, number, value in self._facts:
            held = self._records.get(record)
            row = None if held is None else self.cis.get(held[_R["ci"]])
            if row is None or (number, row[0]) not in self._touched:
                continue
            old = before.get((record, attribute, at, number))
            if not attribute:
                if change := self._came_or_went(row, at, value, old):
                    found[number, row[0]] = Difference("ci", change, (row[0],), row[1], row[2], {})
            elif None not in (old, value) and old != value and _says(row, attribute, newest[record, attribute]):
                values.setdefault((number, row[0]), {})[attribute] = (old, value)
        for place, told in values.items():
            row = self.cis.get(place[1])
            if row is not None and place not in found:
                found[place] = Difference("ci", "changed", (row[0],), row[1], row[2], told)
        return found

    def _before(self) -> tuple[dict[tuple[str, str, int, int], object], dict[tuple[str, str], object]]:
        """What each fact took the place of, None where nobody had told it; and the newest of each kind."""
        told: dict[tuple[str, str], list[Row]] = {}
        for row in self._tx.find(FACT, ("record", "attribute"), {(fact[0], fact[1]) for fact in self._facts}):
            told.setdefault((row[0], row[1]), []).append(row)
        found, newest = {}, {}
        for kind, rows in told.items():
            rows.sort(key=lambda row: (row[2], row[3]))
            for old, new in zip([None, *rows], rows, strict=False):
                found[new[0], new[1], new[2], new[3]] = None if old is None else old[4]
            newest[kind] = rows[-1][4]
        return found, newest

    def _came_or_went(self, row: Row, at: int, value: object, old: object) -> Change | None:
        """A CI comes with the first of its records, and goes with the last."""
        if value == 1:
            if row[_C["first_at"]] == at:
                return "created"
            return "returned" if isinstance(old, list) and self._alone(row[0]) else None
        return "ended" if row[_C["ended_at"]] is not None or self._alone(row[0]) else None

    def _alone(self, ci: str) -> bool:
        return len(self._tx.find(RECORD, ("ci",), [(ci,)])) == 1

    def _relations(self, new: Collection[tuple[int, str]]) -> Iterator[Stray]:
        """Those between CIs that were there before and are there still."""
        rows = self._tx.get(tables.RELATION, [key for _, key, _ in self._ties])
        first_at = tables.RELATION.position("first_at")
        for number, key, deleted in self._ties:
            ends = [self.cis.get(id_) for id_ in (key[0], key[2])]
            there = all(row is not None and row[_C["ended_at"]] is None and (number, row[0]) not in new for row in ends)
            row = rows.get(key)
            created = row is not None and row[first_at] >= self._at[number]
            if there and (created if not deleted else row is None):
                name = " ".join(str(one[2]) for one in ends if one is not None)
                difference = Difference(RELATION, "removed" if deleted else "created", key, key[1], name, {})
                outermost = (self.cis.lineage(id_)[-1] for id_ in (key[0], key[2]))
                yield Stray(number, self._at[number], difference, tuple(dict.fromkeys(outermost)))


def _says(row: Row, attribute: str, value: object) -> bool:
    """Whether the CI says what this record does now."""
    told: object = row[2] if attribute == "name" else (row[_C["attributes"]] or {}).get(attribute)
    return told == value
