"""``benchmarks.ingest --neo4j``: taking reports in on a Neo4j, against plain ``UNWIND … MERGE`` of the same rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from neo4j import Driver, GraphDatabase

from benchmarks.estate_reports import CLAIMS, COMPONENTS, PER_HOST, reports
from benchmarks.ingest import CALLER, Write, recorded, timed
from benchmarks.missing import skipped
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.neo4j import Neo4jStore
from cmdb_server.store.neo4j.naming import STORE
from cmdb_server.store.neo4j.schema import clear, erase
from cmdb_server.store.tables import CI, RELATION, TABLES, Table
from tests.factories import START
from tests.neo4j_server import Neo4jServer, free_port, missing

GOAL = 0.5
WARM = 1_000
"""CIs taken in before anything is timed: the server compiles its queries at their first use."""


@contextmanager
def server(folder: Path) -> Iterator[Neo4jServer]:
    """The one that ``CMDB_TEST_NEO4J_URI`` names, or one for this run. It is emptied."""

    if uri := os.environ.get("CMDB_TEST_NEO4J_URI"):
        user, password = os.environ.get("CMDB_TEST_NEO4J_USER", "neo4j"), os.environ.get("CMDB_TEST_NEO4J_PASSWORD", "")
        yield Neo4jServer(uri, user, password)
        return
    own = Neo4jServer(f"bolt://127.0.0.1:{free_port()}", password="for-the-benchmark", home=folder / "neo4j")
    own.start()
    try:
        yield own
    finally:
        own.stop()


# The bare side ---------------------------------------------------------------------------------------------------------


def bare_schema() -> list[str]:
    """One label a table, with the product's keys and the leading columns of its indexes."""
    made = []
    for table in TABLES:
        if table is not RELATION:
            made.append(
                f"CREATE CONSTRAINT bare_{table.name} IF NOT EXISTS FOR (n:Bare_{table.name}) REQUIRE n._key IS UNIQUE"
            )
            made += [
                f"CREATE INDEX bare_{table.name}_{columns[0]} IF NOT EXISTS FOR (n:Bare_{table.name}) ON (n.`{columns[0]}`)"
                for columns in {columns[:1] for columns in table.indexes}
            ]  # fmt: skip
    return made


Statement = tuple[str, list[Any]]


def as_cypher(writes: list[Write]) -> list[Statement]:
    """The same rows as people would write them by hand."""
    return [statement for how, table, rows in writes for statement in _statements(how, table, rows)]


def _statements(how: str, table: Table, rows: list[Any]) -> Iterator[Statement]:
    if table is RELATION:
        yield from _relations(how, rows)
        return
    node = f"(n:Bare_{table.name} {{_key: row._key}})"
    if how == "delete":
        yield f"UNWIND $rows AS row MATCH {node} DETACH DELETE n", [{"_key": _key(key)} for key in rows]
        return
    plain = [_properties(table, row) for row in rows]
    yield f"UNWIND $rows AS row MERGE {node} {'ON CREATE ' if how == 'insert' else ''}SET n = row", plain


def _relations(how: str, rows: list[Any]) -> Iterator[Statement]:
    ends = f"MATCH (a:Bare_{CI.name} {{_key: row.near}}) MATCH (b:Bare_{CI.name} {{_key: row.far}})"
    for type_ in sorted({row[1] for row in rows}):
        same = [row for row in rows if row[1] == type_]
        if how == "delete":
            plain = [{"near": key[0], "far": key[2]} for key in same]
            yield f"UNWIND $rows AS row {ends} MATCH (a)-[r:BARE_{type_.upper()}]->(b) DELETE r", plain
            continue
        plain = [{"near": r[0], "far": r[2], "properties": _properties(RELATION, r)} for r in same]
        yield f"UNWIND $rows AS row {ends} MERGE (a)-[r:BARE_{type_.upper()}]->(b) SET r = row.properties", plain


def _key(key: tuple[Any, ...]) -> str:
    return " ".join(map(str, key))


def _properties(table: Table, row: tuple[Any, ...]) -> dict[str, Any]:
    told = {
        name: msgspec.json.encode(value).decode() if kind == "json" else value
        for (name, kind), value in zip(table.columns, row, strict=True)
    }
    return told | {"_key": _key(tuple(row[table.position(name)] for name in table.key))}


def write_bare(driver: Driver, writes: list[Statement]) -> int:
    def work(transaction: Any) -> int:
        for statement, rows in writes:
            transaction.run(statement, rows=rows).consume()
        return sum(len(rows) for _, rows in writes)

    with driver.session() as session:
        return session.execute_write(work)


# The comparison --------------------------------------------------------------------------------------------------------


class Load:
    """One estate taken in by both sides, report by report, in turn."""

    def __init__(self, store: Neo4jStore, driver: Driver) -> None:
        self.store, self.driver = store, driver
        self.ours = self.theirs = 0.0
        self.rows = 0

    def run(self, cis: int, folder: Path) -> None:
        clear(self.driver, None, f"MATCH (n) WHERE NOT n:{STORE}")
        self.driver.execute_query(f"MATCH (store:{STORE}) SET store.revision = 0")
        bodies, now = list(reports(cis)), START + 1000
        folder.mkdir(parents=True, exist_ok=True)
        transactions, digest = recorded(bodies, folder, now)
        for body, writes in zip(bodies, map(as_cypher, transactions), strict=True):
            self.ours += timed(ingest, self.store, body, CALLER, now)[0]
            seconds, written = timed(write_bare, self.driver, writes)
            self.theirs, self.rows = self.theirs + seconds, self.rows + written
        assert self.store.read(graph_digest) == digest


def run(cis: int, folder: Path, *, goal: bool) -> int:
    """Print the ratio; 1 when ``goal`` asks for it and it is missed."""
    if reason := missing():
        return skipped(reason)
    with server(folder) as at, GraphDatabase.driver(at.uri, auth=(at.user, at.password)) as driver:
        erase(at.uri, at.user, at.password)
        for statement in bare_schema():
            driver.execute_query(statement)
        store = Neo4jStore(at.uri, at.user, at.password)
        Load(store, driver).run(WARM, folder / "warm")
        load = Load(store, driver)
        load.run(cis, folder / "timed")
        store.close()
        erase(at.uri, at.user, at.password)
    hosts = cis // PER_HOST
    said = hosts * (1 + COMPONENTS + CLAIMS)
    ratio = load.theirs / load.ours
    print(f"estate: {hosts * PER_HOST} CIs, {hosts * (COMPONENTS + CLAIMS)} relations")
    print(f"rows written: {load.rows}, {load.rows / said:.2f} for each CI and relation told")
    print(
        f"ratio first load on Neo4j: {ratio:.3f} of the rate of bare UNWIND … MERGE (goal {GOAL}); "
        f"{load.ours:.1f} s against {load.theirs:.1f} s"
    )
    return 1 if goal and ratio < GOAL else 0
