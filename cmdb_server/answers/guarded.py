"""Writing for who does not see everything: what one does not see one does not change, and what one changes one sees
afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from cmdb_server.answers.sight import Sight
from cmdb_server.errors import Forbidden
from cmdb_server.store.port import Key, Row, Writing
from cmdb_server.store.tables import CI, Table

T = TypeVar("T")


class GuardedWriting:
    """A transaction that reads everything, since who is who depends on everything, and refuses to change a CI that
    ``sight`` does not see."""

    def __init__(self, tx: Writing, sight: Sight) -> None:
        self._tx, self._sight = tx, sight
        self._touched: set[str] = set()

    @property
    def revision(self) -> int:
        return self._tx.revision

    def get(self, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
        return self._tx.get(table, keys)

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[Key]) -> list[Row]:
        return self._tx.find(table, columns, values)

    def scan(self, table: Table, after: Key | None = None, limit: int = 1000) -> list[Row]:
        return self._tx.scan(table, after, limit)

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[Row]:
        return self._tx.between(table, column, low, high)

    def count(self, table: Table) -> int:
        return self._tx.count(table)

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        told = list(rows)
        self._touch(table, [row[0] for row in told])
        self._tx.insert(table, told)

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        told = list(rows)
        self._touch(table, [row[0] for row in told])
        self._tx.put(table, told)

    def delete(self, table: Table, keys: Iterable[Key]) -> None:
        told = list(keys)
        self._touch(table, [key[0] for key in told])
        self._tx.delete(table, told)

    def forget_forever(self, table: Table, keys: Iterable[Key]) -> None:
        self._tx.forget_forever(table, keys)

    def _touch(self, table: Table, ids: Iterable[str]) -> None:
        """Before the CIs are changed."""
        if table is CI:
            new = set(ids) - self._touched
            self._refuse_unseen(new)
            self._touched |= new

    def finish(self) -> None:
        """After everything was written."""
        self._refuse_unseen(self._touched)

    def _refuse_unseen(self, ids: set[str]) -> None:
        there = {key[0] for key in self._tx.get(CI, [(id_,) for id_ in ids])}
        if there - self._sight.fitting(self._tx, there, self._sight.projections.clock()):
            raise Forbidden("this would change a CI that you do not see, or leave one that you do not see")


def guarded(tx: Writing, sight: Sight, work: Callable[[Writing], T]) -> T:
    """What ``work`` gives. Raises Forbidden for what it may not change; nothing is written then."""
    guard = GuardedWriting(tx, sight)
    outcome = work(guard)
    guard.finish()
    return outcome
