"""``SqliteStore``: the store port on one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from cmdb_server.errors import Conflict, SettingsError
from cmdb_server.store.migrations import Schema
from cmdb_server.store.port import Reading, Row, Writing
from cmdb_server.store.sqlite import statements
from cmdb_server.store.sqlite.connection import Connections, patiently, translated
from cmdb_server.store.sqlite.evolution import SqliteEvolution
from cmdb_server.store.sqlite.schema import APPLICATION_ID, create_all
from cmdb_server.store.sqlite.transaction import SqliteReading, SqliteWriting
from cmdb_server.store.tables import Table

T = TypeVar("T")
STATE = "SELECT revision, loading FROM meta"
NEXT = "UPDATE meta SET revision = revision + 1 RETURNING revision, loading"
MARK = "UPDATE meta SET loading = 1"
OPEN = "UPDATE meta SET loading = 0, revision = ?"


class SqliteStore:
    """The store in one file; ``path`` need not exist, its folder must.

    Several processes may open the same file. Raises ``SettingsError`` for a path that cannot be used and for a schema
    newer than this software, ``StoreUnavailable`` for a damaged file.
    """

    def __init__(self, path: str | Path, schema: Schema | None = None) -> None:
        self.path = Path(path)
        self.schema = schema or Schema()
        if not self.path.parent.is_dir():
            raise SettingsError(f"the folder of {self.path} does not exist")
        self._connections = Connections(self.path)
        try:
            with self._transaction() as connection:
                self._prepare(connection)
        except BaseException:
            self._connections.close()
            raise

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Creates or migrates, in one transaction, so that two processes may start at once."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION_ID:
            self._create(connection)
        (found,) = connection.execute("SELECT schema FROM meta").fetchone()
        for migration in self.schema.pending(found, self.path):
            migration.apply(SqliteEvolution(connection))
            connection.execute("UPDATE meta SET schema = ?", (migration.version,))

    def _create(self, connection: sqlite3.Connection) -> None:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            raise SettingsError(f"{self.path} is an SQLite file of something else")
        for statement in create_all(self.schema.tables):
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES (1, 0, ?, 0)", (self.schema.version,))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes: one at a time, of all processes."""
        with translated(self.path), self._connections.writing() as connection, transaction(connection, "IMMEDIATE"):
            yield connection

    def read(self, work: Callable[[Reading], T]) -> T:
        with translated(self.path), self._connections.reading() as connection, transaction(connection, "DEFERRED"):
            revision, loading = connection.execute(STATE).fetchone()
            self._check_complete(loading)
            reading = SqliteReading(connection, self.path, revision)
            try:
                return work(reading)
            finally:
                reading.end()

    def write(self, work: Callable[[Writing], T]) -> T:
        with self._transaction() as connection:
            [(revision, loading)] = connection.execute(NEXT).fetchall()
            self._check_complete(loading)
            writing = SqliteWriting(connection, self.path, revision)
            try:
                return work(writing)
            finally:
                writing.end()

    def _check_complete(self, loading: int) -> None:
        if loading:
            raise Conflict(f"{self.path} holds an unfinished load: run it again, or remove the file")

    def revision(self) -> int:
        return self.read(lambda reading: reading.revision)

    def durable_revision(self) -> int:
        """The newest committed one: every commit is synchronised to the disk before it is acknowledged."""
        return self.revision()

    def begin_load(self) -> None:
        with self._transaction() as connection:
            revision, loading = connection.execute(STATE).fetchone()
            if revision and not loading:
                raise Conflict(f"{self.path} is not empty: it holds revision {revision}")
            for table in self.schema.tables:
                connection.execute(statements.clear(table))
            connection.execute(MARK)

    def load(self, table: Table, rows: Iterable[Row]) -> None:
        with self._transaction() as connection:
            revision, loading = connection.execute(STATE).fetchone()
            if not loading:
                raise Conflict(f"{self.path} is not being loaded")
            SqliteWriting(connection, self.path, revision).insert(table, rows)

    def end_load(self, revision: int, check: Callable[[Reading], None]) -> None:
        with self._transaction() as connection:
            check(SqliteReading(connection, self.path, revision))
            connection.execute(OPEN, (revision,))

    def close(self) -> None:
        self._connections.close()


@contextmanager
def transaction(connection: sqlite3.Connection, mode: str) -> Iterator[None]:
    """BEGIN, then COMMIT, or ROLLBACK of everything."""
    patiently(lambda: connection.execute(f"BEGIN {mode}"))
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
