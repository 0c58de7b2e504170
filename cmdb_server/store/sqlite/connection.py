"""Connections to one SQLite file: how they are opened, kept, and given up when the process forks."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from cmdb_server.errors import CmdbError, Invalid, StoreUnavailable

BUSY_SECONDS = 60.0
"""How long a writer queues for its turn before it gives up."""
IDLE_READERS = 16
PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
    # 64 MiB of pages: a report's rows are spread over every index, so the cache decides how many reads an upsert costs
    "PRAGMA cache_size = -65536",
    "PRAGMA mmap_size = 1073741824",
    # the log is folded into the file each 64 MiB, not in every transaction, and shrinks again after a long reader
    "PRAGMA wal_autocheckpoint = 16384",
    "PRAGMA journal_size_limit = 268435456",
)
T = TypeVar("T")
sqlite3.register_converter("cmdb_json", msgspec.json.decode)


@contextmanager
def accepted(path: Path) -> Iterator[None]:
    """Around the binding of a caller's values: those that do not fit are ``Invalid``."""
    try:
        with translated(path):
            yield
    except (UnicodeEncodeError, OverflowError, IndexError) as error:
        raise Invalid(f"a value cannot be stored: {error}") from error


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns the driver's errors into ours: a row that breaks a constraint is ``Invalid``, the rest
    ``StoreUnavailable``."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.DataError, sqlite3.ProgrammingError) as error:
        raise Invalid(f"a row does not fit its table: {error}") from error
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"{path} is damaged or no SQLite file: {error}; restore it from a dump") from error


def patiently(action: Callable[[], T]) -> T:
    """Runs what SQLite refuses at once, without waiting, while another process opens or closes the same file."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode (we say BEGIN ourselves) that any thread may use, one at a time. A file that is
    not there yet is its owner's alone, and so are those that SQLite puts beside it."""
    with suppress(OSError):  # it is there already, or SQLite says better why it cannot be
        os.mknod(path, 0o600)  # never open and close: that gives up all locks that this process holds on the file
    connection = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
        detect_types=sqlite3.PARSE_COLNAMES,
    )
    try:
        if patiently(lambda: connection.execute("PRAGMA journal_mode").fetchone()) != ("wal",):
            patiently(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone())
        for pragma in PRAGMAS:
            connection.execute(pragma).fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


class Connections:
    """One connection to write with and a pool to read with, for one file in one process.

    SQLite's locks do not survive a fork, so idle connections are closed before one and everything else is abandoned,
    unclosed, in the child: the child opens its own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start()
        _open.add(self)

    def _start(self) -> None:
        self._idle: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        self._turn = threading.Lock()
        self._writing: int | None = None
        self.closed = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own: reads nest and never wait."""
        self._check_open()
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = connect(self.path)
            connection.execute("PRAGMA query_only = ON")
        idle = self._idle
        try:
            yield connection
        finally:
            if self.closed or idle is not self._idle or len(idle) >= IDLE_READERS:
                connection.close()
            else:
                idle.append(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection to write with, for one thread at a time."""
        self._check_open()
        if self._writing == threading.get_ident():
            raise CmdbError("a write inside of a write would wait for itself")
        with self._turn:
            self._writing = threading.get_ident()
            try:
                if self._writer is None:
                    self._writer = connect(self.path)
                yield self._writer
            finally:
                self._writing = None

    def _check_open(self) -> None:
        if self.closed:
            raise StoreUnavailable(f"{self.path} was closed")

    def close(self) -> None:
        with self._turn:
            self.closed = True
            self.close_idle()

    def close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def before_fork(self) -> None:
        if self._turn.acquire(blocking=False):
            try:
                self.close_idle()
            finally:
                self._turn.release()

    def after_fork(self) -> None:
        _abandoned.append((self._idle, self._writer))
        closed = self.closed
        self._start()
        self.closed = closed


_open: weakref.WeakSet[Connections] = weakref.WeakSet()
_abandoned: list[object] = []
"""Connections of the parent process, kept so that the child never closes them."""


def _before_fork() -> None:
    for connections in list(_open):
        connections.before_fork()


def _after_fork() -> None:
    for connections in list(_open):
        connections.after_fork()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
