"""Taking reports in, against bare writes of every row the product writes.

    python -m benchmarks.ingest [--cis 100000] [--scale 0.01] [--neo4j]

The same reports are taken in by three stores in turn, report by report: one only records which rows are written, in
which transactions; then the product is timed, and after it bare ``executemany`` of those rows into the same tables with
the same pragmas and indexes. Printed are the ratio of the two rates, that of a second round in which nothing but
samples moved, and one in which 1 % of the hosts changed.

``--neo4j``: the same on a Neo4j, emptied first, against plain ``UNWIND … MERGE`` of the rows; the first load only.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.estate_reports import CLAIMS, COMPONENTS, PER_HOST, reports
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store import tables
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.sqlite import SqliteStore, statements
from cmdb_server.store.sqlite.transaction import SqliteWriting, encoded
from tests.factories import START

CALLER = Caller("bench", "admin")
LOAD_GOAL, UNCHANGED_GOAL, CHANGED_GOAL = 0.35, 30.0, 0.03
NEO4J_CIS = 5_000
"""Many fewer: a server that is asked over a socket is that much slower."""
Write = tuple[str, tables.Table, list[Any]]
"""``insert``, ``put`` or ``delete``, and the rows or keys."""


class Recorder:
    """Notes what every transaction of a store writes."""

    def __init__(self) -> None:
        self.transactions: list[list[Write]] = []

    def watch(self, store: SqliteStore, body: bytes, now: int) -> None:
        """Take a report in and note what was written."""
        noted: list[Write] = []
        untouched = {how: getattr(SqliteWriting, how) for how in ("insert", "put", "delete")}

        def noting(how: str) -> Any:
            def write(tx: SqliteWriting, table: tables.Table, rows: Iterable[Any]) -> None:
                kept = list(rows)
                noted.append((how, table, kept))
                untouched[how](tx, table, kept)

            return write

        try:
            for how in untouched:
                setattr(SqliteWriting, how, noting(how))
            ingest(store, body, CALLER, now)
        finally:
            for how, method in untouched.items():
                setattr(SqliteWriting, how, method)
        self.transactions.append([write for write in noted if write[2]])


def recorded(bodies: Iterable[bytes], folder: Path, now: int) -> tuple[list[list[Write]], str]:
    """The writes of each report, and the digest of the graph they make."""
    recorder, store = Recorder(), SqliteStore(folder / "noted")
    for body in bodies:
        recorder.watch(store, body, now)
    digest = store.read(graph_digest)
    store.close()
    return recorder.transactions, digest


def as_statements(writes: list[Write]) -> list[tuple[str, list[Any]]]:
    """What a plain connection executes."""
    return [
        (statements.delete(table, table.key), rows)
        if how == "delete"
        else ((statements.insert if how == "insert" else statements.put)(table), list(encoded(table, rows)))
        for how, table, rows in writes
    ]


def bare(path: Path) -> sqlite3.Connection:
    """A connection to a store's file as the product opens it."""
    SqliteStore(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def write_bare(connection: sqlite3.Connection, writes: list[tuple[str, list[Any]]]) -> int:
    connection.execute("BEGIN IMMEDIATE")
    for statement, rows in writes:
        connection.executemany(statement, rows)
    connection.execute("COMMIT")
    return sum(len(rows) for _, rows in writes)


def timed(work: Any, *arguments: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work(*arguments)
    return time.perf_counter() - start, result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cis", type=int)
    parser.add_argument("--neo4j", action="store_true", help="on a Neo4j: CMDB_TEST_NEO4J_URI, or one of its own")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--goal", action="store_true", help="exit 1 when a ratio misses its goal")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cmdb-bench-"))
    try:
        if given.neo4j:
            from benchmarks.ingest_neo4j import run as run_on_neo4j

            return run_on_neo4j(int((given.cis or NEO4J_CIS) * given.scale), folder, goal=given.goal)
        return run(int((given.cis or 100_000) * given.scale), folder, goal=given.goal)
    finally:
        shutil.rmtree(folder)


def run(cis: int, folder: Path, *, goal: bool) -> int:
    bodies = list(reports(cis))
    now = START + 1000
    transactions, digest = recorded(bodies, folder, now)
    product, connection = SqliteStore(folder / "product"), bare(folder / "bare")
    ours = theirs = 0.0
    rows = 0
    for body, writes in zip(bodies, map(as_statements, transactions), strict=True):
        ours += timed(ingest, product, body, CALLER, now)[0]
        seconds, written = timed(write_bare, connection, writes)
        theirs, rows = theirs + seconds, rows + written
    assert product.read(graph_digest) == digest
    hosts = cis // PER_HOST
    said = hosts * (1 + COMPONENTS + CLAIMS)
    print(f"estate: {hosts * PER_HOST} CIs, {hosts * (COMPONENTS + CLAIMS)} relations, {len(bodies)} reports")
    print(f"rows written: {rows}, {rows / said:.2f} for each CI and relation told")
    load = theirs / ours
    print(
        f"ratio first load: {load:.3f} of the rate of bare SQLite (goal {LOAD_GOAL}); {ours:.1f} s against {theirs:.1f} s"
    )
    again = sum(timed(ingest, product, body, CALLER, now + 3_600_000)[0] for body in reports(cis, round_=1))
    print(
        f"ratio unchanged round, samples moving: {ours / again:.1f} times faster than the first load (goal {UNCHANGED_GOAL})"
    )
    some = list(reports(cis, round_=2, changed=0.01))
    part = sum(timed(ingest, product, body, CALLER, now + 7_200_000)[0] for body in some)
    print(f"ratio round with 1 % of hosts changed: {part / ours:.4f} of the first load (goal {CHANGED_GOAL})")
    size = sum(path.stat().st_size for path in folder.glob("product*"))
    print(f"disk: {size / cis:.0f} bytes a CI, {size / rows:.0f} a row")
    product.close(), connection.close()
    missed = load < LOAD_GOAL or ours / again < UNCHANGED_GOAL or part / ours > CHANGED_GOAL
    return 1 if goal and missed else 0


if __name__ == "__main__":
    sys.exit(main())
