"""``Neo4jStore``: the store port on a Neo4j database.

Neo4j isolates a transaction from uncommitted writes only, so a read compares the revision before and after: when a
writer came between, the work runs again, and at last it runs with the writers held back. Writers queue for one node.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from neo4j import Driver, GraphDatabase, ManagedTransaction, Session
from neo4j.exceptions import AuthError, ConfigurationError, ConstraintError, DriverError, Neo4jError

from cmdb_schemas.ci_class import classes
from cmdb_server.errors import Conflict, Invalid, SettingsError, StoreUnavailable
from cmdb_server.store.migrations import Schema
from cmdb_server.store.neo4j import queries, schema
from cmdb_server.store.neo4j.entries import Ancestors
from cmdb_server.store.neo4j.evolution import Neo4jEvolution
from cmdb_server.store.neo4j.naming import STORE, label_of
from cmdb_server.store.neo4j.transaction import Neo4jReading, Neo4jWriting
from cmdb_server.store.port import Reading, Row, Writing
from cmdb_server.store.tables import RELATION, Table

T = TypeVar("T")
CONNECT_SECONDS = 5.0
RETRY_SECONDS = 15.0
"""How long a transaction is tried again: a cluster has a new leader by then."""
TRIES = 3
PATIENCE = 1.0
"""Seconds: a read that took longer and was overtaken runs with the writers held back at once."""


class _OvertakenError(Exception):
    """A writer committed while a read was under way."""


def shipped_ancestors(name: str) -> Iterable[str]:
    """The classes above a class, among those that are shipped."""
    known = classes().get(name)
    return known.ancestors if known else ()


class Neo4jStore:
    """The store in one Neo4j database; ``uri`` may be ``neo4j://`` for a cluster.

    Raises ``SettingsError`` for a wrong address, user or password and for a schema newer than this software,
    ``StoreUnavailable`` when the server does not answer.
    """

    def __init__(
        self,
        uri: str,
        user: str,
        password: str,
        database: str | None = None,
        schema: Schema | None = None,
        ancestors: Ancestors = shipped_ancestors,
    ) -> None:
        self.uri = uri
        self._auth = (user, password)
        self.database = database
        self.schema = schema or Schema()
        self._ancestors = ancestors
        self._indexed: set[str] = set()
        self._closed = False
        self._connect()
        try:
            with self._translated():
                self._driver.verify_connectivity()
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> None:
        with self._translated():
            self._driver: Driver = GraphDatabase.driver(
                self.uri,
                auth=self._auth,
                notifications_min_severity="OFF",
                user_agent="cmdb-server",
                connection_timeout=CONNECT_SECONDS,
                max_transaction_retry_time=RETRY_SECONDS,
            )
        self._bookmarks = GraphDatabase.bookmark_manager()
        self._process = os.getpid()

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """Sessions share bookmarks, so that a read sees what this process wrote, whichever server answers it."""
        if self._closed:
            raise StoreUnavailable(f"{self.uri} was closed")
        if self._process != os.getpid():
            self._connect()
        with (
            self._translated(),
            self._driver.session(database=self.database, bookmark_manager=self._bookmarks, fetch_size=5000) as session,
        ):
            yield session

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (AuthError, ConfigurationError) as error:
            raise SettingsError(f"{self.uri}: {error}") from error
        except ConstraintError as error:
            raise Invalid(f"a row does not fit its table: {error.message}") from error
        except (Neo4jError, DriverError, OSError) as error:
            raise StoreUnavailable(f"{self.uri}: {error}") from error

    def _prepare(self) -> None:
        """Creates or migrates. Schema and data cannot change in one transaction, so each step bears being repeated."""
        with self._session() as session:
            found = session.execute_read(lambda transaction: transaction.run(queries.STATE).single())
        if found is None:
            self.change_schema(schema.create_all(self.schema.tables))
            self._execute(
                f"MERGE (store:{STORE} {{_key: 'store'}}) "
                "ON CREATE SET store.revision = 0, store.schema = $schema, store.loading = false",
                schema=self.schema.version,
            )
        version = self.schema.version if found is None else found["store.schema"]
        for migration in self.schema.pending(version, self.uri):
            migration.apply(Neo4jEvolution(self._execute, self.change_schema, self.rewrite))
            self._execute(f"MATCH (store:{STORE}) SET store.schema = $version", version=migration.version)

    def change_schema(self, statements: list[str]) -> None:
        with self._translated():
            schema.apply(self._driver, self.database, statements)

    def _execute(self, query: str, **parameters: Any) -> Any:
        """One query in a transaction of its own; its first record."""
        with self._session() as session:
            return session.execute_write(lambda transaction: transaction.run(query, parameters).single())

    def read(self, work: Callable[[Reading], T]) -> T:
        with self._session() as session:
            for _ in range(TRIES):
                started = time.monotonic()
                try:
                    return session.execute_read(self._attempt, work)
                except _OvertakenError:
                    if time.monotonic() - started > PATIENCE:
                        break
            return session.execute_write(self._held, work)

    def _attempt(self, transaction: ManagedTransaction, work: Callable[[Reading], T]) -> T:
        """The work, if nothing was committed meanwhile. An error of a work that saw two states is none."""
        reading = Neo4jReading(transaction, self._revision(transaction))
        try:
            found = work(reading)
        except (Neo4jError, DriverError):
            raise
        except Exception as error:
            if self._revision(transaction) != reading.revision:
                raise _OvertakenError from error
            raise
        finally:
            reading.end()
        if self._revision(transaction) != reading.revision:
            raise _OvertakenError
        return found

    def _held(self, transaction: ManagedTransaction, work: Callable[[Reading], T]) -> T:
        transaction.run(queries.LOCK).consume()
        reading = Neo4jReading(transaction, self._revision(transaction))
        try:
            return work(reading)
        finally:
            reading.end()

    def _revision(self, transaction: ManagedTransaction) -> int:
        revision, _, loading = transaction.run(queries.STATE).single(strict=True)
        self._check_complete(loading)
        return int(revision)

    def _check_complete(self, loading: bool) -> None:
        if loading:
            raise Conflict(f"{self.uri} holds an unfinished load: run it again, or empty the database")

    def write(self, work: Callable[[Writing], T]) -> T:
        with self._session() as session:
            try:
                found, kinds = session.execute_write(self._write, work)
            except ConstraintError:  # a row of this revision was there: look before each
                found, kinds = session.execute_write(self._write, work, careful=True)
        self._index(kinds)
        return found

    def _write(
        self, transaction: ManagedTransaction, work: Callable[[Writing], T], *, careful: bool = False
    ) -> tuple[T, set[str]]:
        revision, loading = transaction.run(queries.NEXT).single(strict=True)
        self._check_complete(loading)
        writing = Neo4jWriting(transaction, revision, self._ancestors, careful=careful)
        try:
            found = work(writing)
            writing.save_all()
        finally:
            writing.end()
        return found, writing.kinds

    def _index(self, kinds: set[str]) -> None:
        """Indexes types when they are first written: the schema cannot change inside of the write."""
        for kind in sorted(
            kinds - self._indexed
        ):  # each alone: one that held several could wait for a writer in a ring
            self.change_schema([schema.relationship_index(kind)])
            self._indexed.add(kind)

    def revision(self) -> int:
        with self._session() as session:
            return session.execute_read(self._revision)

    def durable_revision(self) -> int:
        """The newest committed one: Neo4j synchronises its log before it acknowledges."""
        return self.revision()

    def begin_load(self) -> None:
        state = self._execute(queries.STATE)
        if state["store.revision"] and not state["store.loading"]:
            raise Conflict(f"{self.uri} is not empty: it holds revision {state['store.revision']}")
        self._execute(f"MATCH (store:{STORE}) SET store.loading = true")
        with self._translated():
            for table in self.schema.tables:
                if table is not RELATION:
                    schema.clear(self._driver, self.database, f"MATCH (n:{label_of(table)})")

    def load(self, table: Table, rows: Iterable[Row]) -> None:
        rows = list(rows)

        def work(writing: Neo4jWriting) -> set[str]:
            writing.insert(table, rows)
            writing.save_all()
            return writing.kinds

        self._index(self._apart(work))

    def _apart(self, work: Callable[[Neo4jWriting], T]) -> T:
        """A transaction that takes no revision, of a store that is being loaded."""

        def run(transaction: ManagedTransaction) -> T:
            revision, _, loading = transaction.run(queries.STATE).single(strict=True)
            if not loading:
                raise Conflict(f"{self.uri} is not being loaded")
            return work(Neo4jWriting(transaction, revision, self._ancestors, careful=True))

        with self._session() as session:
            return session.execute_write(run)

    def end_load(self, revision: int, check: Callable[[Reading], None]) -> None:
        self._apart(check)
        self._execute(f"MATCH (store:{STORE}) SET store.loading = false, store.revision = $revision", revision=revision)

    def rewrite(self, table: Table, change: Callable[[Row], Row]) -> None:
        """Every row changed, a page a transaction."""
        after = None
        while True:

            def page(transaction: ManagedTransaction, after: Any = after) -> list[Row]:
                writing = Neo4jWriting(transaction, 0, self._ancestors, careful=True)
                rows = writing.scan(table, after, 5000)
                writing.store(table, [change(row) for row in rows], replace=True)
                writing.save_all()
                return rows

            with self._session() as session:
                rows = session.execute_write(page)
            if not rows:
                return
            after = tuple(rows[-1][table.position(column)] for column in table.key)

    def close(self) -> None:
        self._closed = True
        if self._process == os.getpid():
            self._driver.close()
