"""What the server asks of a store. ``sqlite`` and ``neo4j`` answer it; ``tests/store_contract.py`` holds both to it.

A store keeps the tables of ``store.tables``. Rows are tuples in column order. A write transaction first takes the next
revision, which is the writers' mutex and the number of the change feed at once; readers never wait and see one
consistent state. Work is passed in as a function, because a store may have to run it again after a transient fault:
it must have no other effect than on the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

from cmdb_server.store.tables import Table

Key = tuple[Any, ...]
Row = tuple[Any, ...]
T = TypeVar("T")


class Reading(Protocol):
    """A consistent read of the store. ``revision``: the newest one it sees."""

    @property
    def revision(self) -> int: ...

    def get(self, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
        """The rows of these keys; absent keys are absent."""

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[Key]) -> list[Row]:
        """The rows whose ``columns`` (the key's or an index's leading columns) equal one of ``values``, in key
        order within each value."""

    def scan(self, table: Table, after: Key | None = None, limit: int = 1000) -> list[Row]:
        """Up to ``limit`` rows in key order, after ``after``."""

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[Row]:
        """The rows with ``low < column <= high`` of an indexed integer column, ordered by it."""

    def count(self, table: Table) -> int: ...


class Writing(Reading, Protocol):
    """A write transaction. ``revision``: the one it took; its reads see its own writes."""

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        """Add rows whose keys are new; a row whose key exists is left as it is."""

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        """Add or replace rows."""

    def delete(self, table: Table, keys: Iterable[Key]) -> None:
        """Remove rows of a ``state`` or ``desk`` table. History and log refuse."""


class Store(Protocol):
    def read(self, work: Callable[[Reading], T]) -> T:
        """Run ``work`` on one consistent state."""

    def write(self, work: Callable[[Writing], T]) -> T:
        """Run ``work`` in the next revision; all of it is durable when this returns, or none of it is stored."""

    def revision(self) -> int:
        """The newest committed revision."""

    def durable_revision(self) -> int:
        """The newest revision that survives the death of the machine."""

    def close(self) -> None: ...
