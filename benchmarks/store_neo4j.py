"""What the Neo4j store costs over a bare driver: the same rows by plain ``UNWIND … MERGE``, the same transactions.

    python -m benchmarks.store_neo4j [--cis 10000] [--scale 0.01] [--uri URI --user USER] (password: NEO4J_PASSWORD)

Starts a server of its own (docs/neo4j.md) unless told of one, **whose database is emptied**. Prints rates and ratios for
the first load and for the same again. Ends with 1 when the store does not hold what was written.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from neo4j import GraphDatabase

from benchmarks.missing import skipped
from benchmarks.store_overhead import Batch, compare, estate, seconds, store_write, with_texts
from cmdb_server.store.neo4j import Neo4jStore
from cmdb_server.store.neo4j.schema import erase
from cmdb_server.store.tables import CI, FACT, RELATION, Table
from tests import neo4j_server
from tests.neo4j_server import Neo4jServer

SCHEMA = (
    "CREATE CONSTRAINT barestore_item FOR (n:BareItem) REQUIRE n.id IS UNIQUE",
    "CREATE INDEX barestore_item_name FOR (n:BareItem) ON (n.name)",
    "CREATE INDEX barestore_item_class FOR (n:BareItem) ON (n.class)",
    "CREATE INDEX barestore_item_parent FOR (n:BareItem) ON (n.parent)",
    "CREATE INDEX barestore_item_revision FOR (n:BareItem) ON (n.revision)",
    "CREATE INDEX barestore_relation FOR ()-[r:BARE]-() ON (r.revision)",
    "CREATE CONSTRAINT barestore_fact FOR (n:BareFact) REQUIRE n.key IS UNIQUE",
    "CREATE INDEX barestore_fact_revision FOR (n:BareFact) ON (n.revision)",
)
ITEMS = "UNWIND $rows AS row MERGE (n:BareItem {id: row.id}) SET n += row"
RELATIONS = (
    "UNWIND $rows AS row MATCH (a:BareItem {id: row.from_ci}) MATCH (b:BareItem {id: row.to_ci}) "
    "MERGE (a)-[r:BARE]->(b) SET r += row.properties"
)
FACTS = "UNWIND $rows AS row MERGE (n:BareFact {key: row.key}) SET n += row"


def bare_write(driver: Any) -> Callable[[Batch], None]:
    def write(batch: Batch) -> None:
        named = {t: [dict(zip([c for c, _ in t.columns], row, strict=True)) for row in batch[t]] for t in batch}
        facts = [{"key": f"{f['record']} {f['attribute']} {f['at']} {f['revision']}", **f} for f in named[FACT]]
        ends = ("from_ci", "type", "to_ci")
        relations = [
            {**{end: r[end] for end in ends}, "properties": {k: v for k, v in r.items() if k not in ends}}
            for r in named[RELATION]
        ]

        def work(transaction: Any) -> None:
            for query, rows in ((ITEMS, named[CI]), (RELATIONS, relations), (FACTS, facts)):
                transaction.run(query, rows=rows).consume()

        with driver.session() as session:
            session.execute_write(work)

    return write


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cis", type=int, default=10_000)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--uri", help="a server whose database may be emptied")
    parser.add_argument("--user", default="neo4j")
    asked = parser.parse_args()
    count = int(asked.cis * asked.scale)
    if asked.uri:
        return run(Neo4jServer(asked.uri, asked.user, os.environ.get("NEO4J_PASSWORD", "")), count)
    if reason := neo4j_server.missing():
        return skipped(reason)
    with TemporaryDirectory() as folder:
        server = neo4j_server.own(Path(folder))
        try:
            return run(server, count)
        finally:
            server.stop()


def run(server: Neo4jServer, count: int) -> int:
    account = (server.uri, server.user, server.password)
    erase(*account)
    batches = list(estate(count))
    store = Neo4jStore(*account)
    with GraphDatabase.driver(server.uri, auth=account[1:], notifications_min_severity="OFF") as driver:
        for statement in SCHEMA:
            driver.execute_query(statement.replace(" FOR ", " IF NOT EXISTS FOR ", 1))
        driver.execute_query("CALL db.awaitIndexes(60)")
        measure(driver, store, batches)
    wrong = [table.name for table in (CI, RELATION, FACT) if not holds(store, table, batches)]
    store.close()
    erase(*account)
    for name in wrong:
        print(f"wrong: the store holds other rows of {name} than were written")
    return 1 if wrong else 0


def measure(driver: Any, store: Neo4jStore, batches: list[Batch]) -> None:
    rows = sum(len(rows) for batch in batches for rows in batch.values())
    pairs = [(with_texts(batch), batch) for batch in batches]
    warm = list(estate(min(1000, rows)))
    seconds(bare_write(driver), store_write(store), [(with_texts(batch), batch) for batch in warm])
    for what in ("first load", "the same again"):
        compare(what, "rows", rows, *seconds(bare_write(driver), store_write(store), pairs))


def holds(store: Neo4jStore, table: Table, batches: list[Batch]) -> bool:
    """Whether the store holds what was written last to every key."""
    places = [table.position(column) for column in table.key]
    last = {tuple(row[place] for place in places): row for batch in batches for row in batch[table]}
    return store.read(lambda reading: reading.get(table, last)) == last


if __name__ == "__main__":
    sys.exit(main())
