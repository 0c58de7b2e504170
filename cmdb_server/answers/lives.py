"""When CIs were seen, by whom, and how alive that makes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cmdb_server.answers.deleted import deleted_at
from cmdb_server.answers.life import Life
from cmdb_server.answers.views import SourceView
from cmdb_server.ingest.ruling import in_transaction
from cmdb_server.ingest.sighting import EVERYWHERE, Kinds
from cmdb_server.model.decisions import Decision, pins
from cmdb_server.model.precedence import Candidate, shipped
from cmdb_server.model.presence import Run, stage
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row

if TYPE_CHECKING:
    from cmdb_server.answers.history import Graph

R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}
LOCAL, UNKNOWN = "local", "unknown_device"
L = {name: tables.LANE.position(name) for name, _ in tables.LANE.columns}


@dataclass(frozen=True, slots=True)
class Sought:
    """Whether anybody looked for a thing itself. ``sites``: where it is told of. ``asked``: a scan of it gave answers,
    at ``addresses``, or (``at_home``) on itself. ``tellers``: the sources and targets of those who tell of it."""

    sites: frozenset[str]
    asked: bool
    at_home: bool
    addresses: frozenset[str]
    tellers: frozenset[str]


class Lives:
    """Looks up the records and lanes of many CIs at once. ``now``: the time the question is asked for, ms."""

    def __init__(self, tx: Reading, now: int, kinds: Kinds, past: Graph | None = None) -> None:
        self._tx, self._now, self._kinds, self._past = tx, now, kinds, past
        self._records: dict[str, Row] = {}
        self._of: dict[str, list[Row]] = {}
        self._lanes: dict[tuple[str, int], Row] = {}
        self._decided: tuple[Decision, ...] | None = None

    def load(self, cis: Iterable[str]) -> None:
        """Read what is needed for these CIs."""
        if self._past is not None:
            return
        wanted = [ci for ci in cis if ci not in self._of]
        self._of.update({ci: [] for ci in wanted})
        rows = self._tx.find(tables.RECORD, ("ci",), [(ci,) for ci in wanted])
        frontier = rows
        while frontier:
            self._records.update({row[0]: row for row in frontier})
            above = {(row[R["parent"]],) for row in frontier if row[R["parent"]]} - {(id_,) for id_ in self._records}
            frontier = list(self._tx.get(tables.RECORD, above).values()) if above else []
        for row in rows:
            self._of[row[R["ci"]]].append(row)
        lanes = {(row[R["scope"]], row[R["part"]]) for row in self._records.values()} - self._lanes.keys()
        self._lanes.update({(key[0], key[1]): row for key, row in self._tx.get(tables.LANE, lanes).items()})

    def of(self, row: Row) -> Life:
        """The life of a loaded CI."""
        if self._past is not None:
            return self._past.life(row[0], self._now)
        records = self._of.get(row[0], [])
        class_ = self._kinds[row[1]]
        if not records:
            return Life("current", None, "")
        found = stage([self._run(record) for record in records], class_.life, self._now, deleted_at(row))
        last = None if not class_.discovered else max(self._last(record) for record in records)
        return Life(found.stage, last, min(self._top(record)[R["site"]] for record in records))

    def _run(self, record: Row) -> Run:
        ends = [end for end in (one[R["ended_at"]] for one in self._lineage(record)) if end is not None]
        return Run(record[R["first_at"]], self._last(record), min(ends, default=None))

    def _last(self, record: Row) -> int:
        for one in self._lineage(record):
            if one[R["last_at"]] is not None:
                return int(one[R["last_at"]])
        lane = self._lanes[(one[R["scope"]], one[R["part"]])]
        return int(lane[L["observed_at"]])

    def _lineage(self, record: Row) -> Iterator[Row]:
        """A component's record, then those of what it depends on."""
        yield record
        while record[R["parent"]]:
            record = self._records[record[R["parent"]]]
            yield record

    def _top(self, record: Row) -> Row:
        *_, top = self._lineage(record)
        return top

    def sources(self, ci: str) -> Iterator[SourceView]:
        """The records of a loaded CI."""
        for record in sorted(self._of.get(ci, ()), key=lambda row: (row[R["first_at"]], row[0])):
            top = self._top(record)
            run = self._run(record)
            agent = self._lanes[(top[R["scope"]], top[R["part"]])][L["agent"]]
            yield SourceView(
                record[0], top[R["source"]], top[R["site"]], top[R["target"]].partition("\x00")[0], agent, run.first,
                run.last, run.ended_at,
            )  # fmt: skip

    def sought(self, ci: str) -> Sought:
        """Who looked for a loaded CI that is no component."""
        records = [row for row in self._of.get(ci, ()) if not row[R["parent"]]]
        targets = {row[0]: str(self._lanes[(row[R["scope"]], row[R["part"]])][L["target"]]) for row in records}
        asked = [row for row in records if _was_asked(row)]
        return Sought(
            frozenset(row[R["site"]] for row in records), bool(asked),
            any(targets[row[0]].partition(":")[0] == LOCAL for row in asked),
            frozenset(address for row in asked for address in row[R["identifiers"]].get("@address", ())),
            frozenset(f"{row[R['source']]} {targets[row[0]]}" for row in records),
        )  # fmt: skip

    def unconfirmed(self, row: Row, attribute: str, value: Any) -> bool:
        """Whether all who say this value of a loaded CI said it longer ago than precedence relies on. What a person
        pinned, or no source says itself, is relied on."""
        words = self.words(row[0], attribute)
        class_, rules = self._kinds[row[1]], shipped()
        key = rules.key((class_.name, *class_.ancestors), attribute)
        ends = [rules.stale_at(one, key) for one in words if one.value == value]
        if not ends or any(end is None or end > self._now for end in ends):
            return False
        return attribute not in pins(self._decisions(), self._members(row[0]))

    def _members(self, ci: str) -> frozenset[str]:
        if self._past is not None:
            return frozenset(id_ for id_, _ in self._past.members(ci))
        return frozenset(row[0] for row in self._of.get(ci, ()))

    def _decisions(self) -> tuple[Decision, ...]:
        if self._decided is None:
            self._decided = in_transaction(self._tx).decisions
        return self._decided

    def words(self, ci: str, attribute: str) -> list[Candidate]:
        """What the sources of a loaded CI say of an attribute: those that are still there, or else those that are
        gone."""
        if self._past is not None:
            return self._past.words(ci, attribute)
        told = []
        for record in self._of.get(ci, ()):
            if (entry := record[R["attributes"]].get(attribute)) is not None:
                run = self._run(record)
                confirmed = entry[2] if entry[2] is not None else run.last
                told.append((Candidate(record[R["source"]], record[0], entry[0], entry[1], confirmed), run.ended_at))
        return [one for one, ended in told if ended is None] or [one for one, _ in told]

    def holding(self, ci: str) -> Iterator[tuple[Row, Row]]:
        """The records of a loaded CI, each with the record of the thing it is a component of, or itself."""
        for record in self._of.get(ci, ()):
            yield record, self._top(record)


def _was_asked(record: Row) -> bool:
    """Whether a scan asked the thing itself: not what another source has it under a key for, what people enter, or
    what gave no more than a sign of life."""
    return record[R["native_key"]] is None and record[R["site"]] != EVERYWHERE and record[R["class"]] != UNKNOWN
