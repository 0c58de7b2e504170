"""The store as it was: what reads the present reads the past alike, without knowing of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cmdb_server.answers import sight
from cmdb_server.answers.history import moment_of
from cmdb_server.answers.seen import SeenReading
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.rewind import state_at
from cmdb_server.ingest.since import Then
from cmdb_server.store import tables
from cmdb_server.store.draft import Draft
from cmdb_server.store.partial import Partial, whole
from cmdb_server.store.port import Key, Reading, Row
from cmdb_server.store.tables import Table

HISTORY: Mapping[Table, str | None] = {tables.FACT: "at", tables.CLAIM: "at", tables.MEMBERSHIP: None}
"""What taking the present back does not keep, by the column of when it holds: read where it stands."""


@dataclass(frozen=True, slots=True)
class Past:
    """``tx`` reads the store of then; ``now`` (ms) is the time that questions about it are asked at."""

    tx: Reading
    now: int


def past_of(reading: Reading, viewer: Viewer, at: int | None, known_at: int | None, now_ms: int) -> Past:
    """The store as of ``at``, as known at ``known_at`` (ms), as far as the viewer sees it. Without either the present one.
    Raises Forgotten for what retention dropped."""
    if at is None and known_at is None:
        return Past(reading, now_ms)
    everything = whole(reading)
    moment = moment_of(everything, at, known_at)
    then: Reading = _State(state_at(everything, moment.then, viewer.kinds, moment.now), everything, moment.then)
    if isinstance(reading, SeenReading):
        graph = viewer.past.at(everything, at, known_at, viewer.kinds)
        then = SeenReading(then, reading.sight, sight.Then(reading.sight, everything, graph, moment.now))
    return Past(then, moment.now)


class _State:
    """A state of the past together with its history until then."""

    def __init__(self, state: Draft, everything: Reading, then: Then) -> None:
        self.revision = state.revision
        self._state, self._history = state, Partial(everything, lambda table, rows: _until(then, table, rows))

    def get(self, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
        return self._of(table).get(table, keys)

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[Key]) -> list[Row]:
        return self._of(table).find(table, columns, values)

    def scan(self, table: Table, after: Key | None = None, limit: int = 1000) -> list[Row]:
        return self._of(table).scan(table, after, limit)

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[Row]:
        return self._of(table).between(table, column, low, high)

    def count(self, table: Table) -> int:
        return self._of(table).count(table)

    def _of(self, table: Table) -> Reading:
        return self._history if table in HISTORY else self._state


def _until(then: Then, table: Table, rows: Sequence[Row]) -> list[Row | None]:
    column, revision = HISTORY[table], table.position("revision")
    at = table.position(column) if column is not None else None
    return [row if row[revision] <= then.revision and (at is None or row[at] <= then.until) else None for row in rows]
