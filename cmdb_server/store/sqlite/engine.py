"""``SqliteStore``: the store port on one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from cmdb_server.errors import Conflict, SettingsError
from cmdb_server.store.port import Reading, Writing
from cmdb_server.store.sqlite.connection import Connections, patiently, translated
from cmdb_server.store.sqlite.schema import APPLICATION_ID, create_all
from cmdb_server.store.sqlite.transaction import SqliteReading, SqliteWriting
from cmdb_server.store.tables import SCHEMA_VERSION, TABLES

T = TypeVar("T")
STATE = "SELECT revision, loading FROM meta"
NEXT = "UPDATE meta SET revision = revision + 1 RETURNING revision, loading"


class SqliteStore:
    """The store in one file; ``path`` need not exist, its folder must.

    Several processes may open the same file. Raises ``SettingsError`` for a path that cannot be used and for a schema
    newer than this software, ``StoreUnavailable`` for a damaged file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.parent.is_dir():
            raise SettingsError(f"the folder of {self.path} does not exist")
        self._connections = Connections(self.path)
        try:
            with translated(self.path), self._connections.writing() as connection:
                self._prepare(connection)
        except BaseException:
            self._connections.close()
            raise

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Creates what is missing, in one transaction, so that two processes may start at once."""
        with transaction(connection, "IMMEDIATE"):
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            if application != APPLICATION_ID:
                if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
                    raise SettingsError(f"{self.path} is an SQLite file of something else")
                for statement in create_all(TABLES):
                    connection.execute(statement)
                connection.execute("INSERT INTO meta VALUES (1, 0, ?, 0)", (SCHEMA_VERSION,))
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            (schema,) = connection.execute("SELECT schema FROM meta").fetchone()
            if schema > SCHEMA_VERSION:
                raise SettingsError(f"{self.path} has schema {schema}, this software knows {SCHEMA_VERSION}: update it")

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
        with translated(self.path), self._connections.writing() as connection, transaction(connection, "IMMEDIATE"):
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
