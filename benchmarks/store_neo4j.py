"""What the Neo4j store costs over a bare driver: the same rows by plain ``UNWIND … MERGE``, the same transactions.

    python benchmarks/store_neo4j.py URI USER PASSWORD [CIS]

The database is emptied. Prints rates and ratios for the first load and for the same again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from neo4j import GraphDatabase

from benchmarks.store_overhead import Batch, compare, estate, seconds, store_write, with_texts
from cmdb_server.store.neo4j import Neo4jStore
from cmdb_server.store.neo4j.schema import erase
from cmdb_server.store.tables import CI, FACT, RELATION

SCHEMA = (
    "CREATE CONSTRAINT bare_item FOR (n:BareItem) REQUIRE n.id IS UNIQUE",
    "CREATE INDEX bare_item_name FOR (n:BareItem) ON (n.name)",
    "CREATE INDEX bare_item_class FOR (n:BareItem) ON (n.class)",
    "CREATE INDEX bare_item_parent FOR (n:BareItem) ON (n.parent)",
    "CREATE INDEX bare_item_revision FOR (n:BareItem) ON (n.revision)",
    "CREATE INDEX bare_relation FOR ()-[r:BARE]-() ON (r.revision)",
    "CREATE CONSTRAINT bare_fact FOR (n:BareFact) REQUIRE n.key IS UNIQUE",
    "CREATE INDEX bare_fact_revision FOR (n:BareFact) ON (n.revision)",
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


def main(uri: str, user: str, password: str, count: int) -> None:
    erase(uri, user, password)
    batches = list(estate(count))
    rows = sum(len(rows) for batch in batches for rows in batch.values())
    pairs = [(with_texts(batch), batch) for batch in batches]
    store = Neo4jStore(uri, user, password)
    with GraphDatabase.driver(uri, auth=(user, password), notifications_min_severity="OFF") as driver:
        for statement in SCHEMA:
            driver.execute_query(statement.replace(" FOR ", " IF NOT EXISTS FOR ", 1))
        driver.execute_query("CALL db.awaitIndexes(60)")
        warm = list(estate(1000))
        seconds(bare_write(driver), store_write(store), [(with_texts(batch), batch) for batch in warm])
        for what in ("first load", "the same again"):
            compare(what, "rows", rows, *seconds(bare_write(driver), store_write(store), pairs))
    store.close()
    erase(uri, user, password)


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]) if len(sys.argv) > 4 else 10_000)
