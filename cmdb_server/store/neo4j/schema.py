"""Constraints and indexes, derived from ``store.tables``, and the node that keeps the revision."""

from __future__ import annotations

from collections.abc import Iterator

from neo4j import Driver, GraphDatabase

from cmdb_server.store.neo4j.entries import compound_name
from cmdb_server.store.neo4j.naming import STORE, label_of
from cmdb_server.store.tables import RELATION, Table


def constraint(label: str) -> str:
    """One row a key. A constraint on several properties is the paid edition's, so the key is one computed text."""
    return f"CREATE CONSTRAINT cmdb_{label} IF NOT EXISTS FOR (n:{label}) REQUIRE n._key IS UNIQUE"


def index(table: Table, columns: tuple[str, ...]) -> str:
    found_by = columns[0] if len(columns) == 1 else compound_name(columns)
    return f"CREATE INDEX cmdb_{table.name}_{found_by} IF NOT EXISTS FOR (n:{label_of(table)}) ON (n.`{found_by}`)"


def indexes(table: Table) -> Iterator[str]:
    """What leads the key or an index on several columns is found by their one text."""
    wanted = {columns for columns in table.indexes if columns != table.key[: len(columns)]}
    for columns in sorted(wanted):
        if not any(columns == other[: len(columns)] for other in wanted - {columns}):
            yield index(table, columns)


def relationship_index(kind: str) -> str:
    """The change feed's way to relations of one type."""
    return f"CREATE INDEX cmdb_revision_{kind} IF NOT EXISTS FOR ()-[r:{kind}]-() ON (r.revision)"


MADE = "SHOW INDEXES YIELD name RETURN name"
"""The names of all indexes; a constraint's is called as the constraint is."""


def name_of(statement: str) -> str:
    """The name of the constraint or index that a statement creates."""
    return statement.split()[2]


def create_table(table: Table) -> list[str]:
    if table is RELATION:
        return []
    return [constraint(label_of(table)), *indexes(table)]


def create_all(tables: tuple[Table, ...]) -> list[str]:
    return [constraint(STORE), *(statement for table in tables for statement in create_table(table))]


def apply(driver: Driver, database: str | None, statements: list[str]) -> None:
    """Several changes of the schema at once; each is left alone where it is made already."""
    with driver.session(database=database) as session:
        made = session.execute_read(lambda transaction: {record[0] for record in transaction.run(MADE)})
        if missing := [statement for statement in statements if name_of(statement) not in made]:
            session.execute_write(lambda transaction: [transaction.run(statement).consume() for statement in missing])
        if statements:
            session.run("CALL db.awaitIndexes(600)").consume()


def clear(driver: Driver, database: str | None, match: str) -> None:
    """Removes nodes in many small transactions. ``match`` binds ``n``."""
    with driver.session(database=database) as session:
        session.run(f"{match} CALL (n) {{ DETACH DELETE n }} IN TRANSACTIONS OF 5000 ROWS").consume()


def erase(uri: str, user: str, password: str, database: str | None = None) -> None:
    """Removes everything from a database that tests use."""
    with GraphDatabase.driver(uri, auth=(user, password)) as driver:
        clear(driver, database, "MATCH (n)")
