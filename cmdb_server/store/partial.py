"""A reading that tells a part of another: some rows are left out, and of some less is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from cmdb_server.store.port import Key, Reading, Row
from cmdb_server.store.tables import Table

BATCH = 1000
Part = Callable[[Table, Sequence[Row]], Sequence[Row | None]]
"""For each row of a table what is told of it; None: nothing."""


class Partial:
    """``whole`` through ``part``. Rows are found by what they hold in the whole."""

    def __init__(self, whole: Reading, part: Part) -> None:
        self.whole, self._part = whole, part

    @property
    def revision(self) -> int:
        return self.whole.revision

    def get(self, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
        rows = self.whole.get(table, keys)
        told = zip(rows, self._part(table, list(rows.values())), strict=True)
        return {key: row for key, row in told if row is not None}

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[Key]) -> list[Row]:
        return self._rows(table, self.whole.find(table, columns, values))

    def scan(self, table: Table, after: Key | None = None, limit: int = 1000) -> list[Row]:
        """As the port has it: pages are full, however much lies between their rows in the whole."""
        found: list[Row] = []
        key = [table.position(name) for name in table.key]
        while True:
            rows = self.whole.scan(table, after, limit)
            found += self._rows(table, rows)
            if len(rows) < limit or len(found) >= limit:
                return found[:limit]
            after = tuple(rows[-1][place] for place in key)

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[Row]:
        rows = self.whole.between(table, column, low, high)
        while some := list(islice(rows, BATCH)):
            yield from self._rows(table, some)

    def count(self, table: Table) -> int:
        """How many rows are told of. All are looked at."""
        return len(self.scan(table, None, max(1, self.whole.count(table))))

    def _rows(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        return [row for row in self._part(table, rows) if row is not None]


def whole(reading: Reading) -> Reading:
    """All of what ``reading`` tells a part of, or itself."""
    return reading.whole if isinstance(reading, Partial) else reading
