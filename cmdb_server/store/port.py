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
        order within each value. ``None`` equals nothing; a value named twice counts once."""

    def scan(self, table: Table, after: Key | None = None, limit: int = 1000) -> list[Row]:
        """Up to ``limit`` rows in key order, after ``after``."""

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[Row]:
        """The rows with ``low < column <= high`` of an indexed integer column, ordered by it and the key. Usable until
        ``work`` returns."""

    def count(self, table: Table) -> int: ...


class Writing(Reading, Protocol):
    """A write transaction. ``revision``: the one it took; its reads see its own writes."""

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        """Add rows whose keys are new; a row whose key exists is left as it is."""

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        """Add or replace rows of a ``state`` or ``desk`` table; of several with one key the last one stays. A relation
        needs both of its CIs. History and log refuse with ``Conflict``."""

    def delete(self, table: Table, keys: Iterable[Key]) -> None:
        """Remove rows of a ``state`` or ``desk`` table, and with a CI its relations. History and log refuse with
        ``Conflict``."""

    def forget_forever(self, table: Table, keys: Iterable[Key]) -> None:
        """Remove rows of a ``history`` or ``log`` table for good: for retention, and nobody else. Other tables refuse
        with ``Conflict``."""


class Store(Protocol):
    """Rows that do not fit their table raise ``Invalid``, a store that cannot be reached or is damaged
    ``StoreUnavailable``; whatever ``work`` raises ends its transaction and comes out as it is."""

    def read(self, work: Callable[[Reading], T]) -> T:
        """Run ``work`` on one consistent state."""

    def write(self, work: Callable[[Writing], T]) -> T:
        """Run ``work`` in the next revision; all of it is durable when this returns, or none of it is stored."""

    def revision(self) -> int:
        """The newest committed revision."""

    def durable_revision(self) -> int:
        """The newest revision that survives the death of the machine."""

    def close(self) -> None: ...


class Loadable(Store, Protocol):
    """A store that can be filled from a dump. While it is being loaded it answers nothing else, and a load that was
    interrupted leaves it so."""

    def begin_load(self) -> None:
        """Mark the store as being loaded. Empties what an unfinished load left; raises ``Conflict`` for a store that
        holds anything else."""

    def load(self, table: Table, rows: Iterable[Row]) -> None:
        """Add rows with the revisions they bear. CIs come before relations."""

    def end_load(self, revision: int, check: Callable[[Reading], None]) -> None:
        """Let ``check`` look at what was loaded, then open the store at ``revision``; when it raises, the mark
        stays."""
