"""The Cypher a table needs. Names come from ``store.tables``; everything else is a parameter."""

from __future__ import annotations

from functools import cache

from cmdb_server.store.neo4j.naming import STORE, label_of
from cmdb_server.store.neo4j.values import columns_of
from cmdb_server.store.tables import CI, RELATION, Table

STATE = f"MATCH (store:{STORE}) RETURN store.revision, store.schema, store.loading"
LOCK = f"MATCH (store:{STORE}) SET store.turn = true"
"""Writing a property takes the node's lock until the transaction ends: the writers' mutex."""
NEXT = f"MATCH (store:{STORE}) SET store.revision = store.revision + 1 RETURN store.revision, store.loading"


@cache
def relation_columns() -> str:
    """A relation's columns; its ends and type are those of the relationship."""
    given = {"from_ci": "coalesce(a._long_id, a.id)", "type": "toLower(type(r))", "to_ci": "coalesce(b._long_id, b.id)"}
    return ", ".join(given.get(name, f"r.`{name}`") for name, _ in RELATION.columns)


@cache
def get(table: Table) -> str:
    return f"UNWIND $keys AS key MATCH (n:{label_of(table)} {{_key: key}}) RETURN {columns_of(table, 'n')}"


@cache
def find_by_prefix(table: Table) -> str:
    return (
        f"UNWIND $values AS value MATCH (n:{label_of(table)}) WHERE n._key STARTS WITH value[1] "
        f"RETURN {columns_of(table, 'n')} ORDER BY value[0], n._key"
    )


@cache
def find(table: Table, columns: tuple[str, ...]) -> str:
    match = " AND ".join(f"n.`{column}` = value[{number}]" for number, column in enumerate(columns, start=1))
    return (
        f"UNWIND $values AS value MATCH (n:{label_of(table)}) WHERE {match} "
        f"RETURN {columns_of(table, 'n')} ORDER BY value[0], n._key"
    )


@cache
def scan(table: Table, started: bool) -> str:
    after = "n._key > $after" if started else "n._key >= ''"
    return f"MATCH (n:{label_of(table)}) WHERE {after} RETURN {columns_of(table, 'n')} ORDER BY n._key LIMIT $limit"


@cache
def between(table: Table, column: str) -> str:
    return (
        f"MATCH (n:{label_of(table)}) WHERE n.`{column}` > $low AND n.`{column}` <= $high "
        f"RETURN {columns_of(table, 'n')} ORDER BY n.`{column}`, n._key"
    )


@cache
def count(table: Table) -> str:
    if table is RELATION:
        return "MATCH (:CI)-[r]->(:CI) WHERE r.revision IS NOT NULL RETURN count(r)"
    return f"MATCH (n:{label_of(table)}) RETURN count(n)"


@cache
def store(table: Table, replace: bool) -> str:
    merge = f"UNWIND $rows AS row MERGE (n:{label_of(table)} {{_key: row.properties._key}})"
    if table is not CI:
        return f"{merge} SET n = row.properties" if replace else f"{merge} ON CREATE SET n = row.properties"
    labels = "REMOVE n:$([label IN labels(n) WHERE NOT label IN row.labels AND label <> 'CI']) SET n:$(row.labels)"
    if replace:
        return f"{merge} SET n = row.properties {labels}"
    # a node that was there keeps everything, labels included
    return f"{merge} ON CREATE SET n = row.properties, n:$(row.labels)"


@cache
def delete(table: Table) -> str:
    detach = "DETACH " if table is CI else ""
    return f"UNWIND $keys AS key MATCH (n:{label_of(table)} {{_key: key}}) {detach}DELETE n"


@cache
def store_relations(kind: str, replace: bool) -> str:
    """``kind`` is a relationship type that ``naming`` has checked. Counts the rows whose CIs are there."""
    how = "SET" if replace else "ON CREATE SET"
    return (
        "UNWIND $rows AS row MATCH (a:CI {_key: row.near}) MATCH (b:CI {_key: row.far}) "
        f"MERGE (a)-[r:{kind}]->(b) {how} r = row.properties RETURN count(*)"
    )


MISSING_ENDS = "UNWIND $keys AS key OPTIONAL MATCH (n:CI {_key: key}) WITH key, n WHERE n IS NULL RETURN key LIMIT 1"


def _between_known_ends(kind: str) -> str:
    """Both ends are found before what is between them: from a package that every host has, one end would lead over all
    of its relations."""
    return (
        f"UNWIND $keys AS key MATCH (a:CI)-[r:{kind}]->(b:CI) USING INDEX a:CI(_key) USING INDEX b:CI(_key) "
        "WHERE a._key = key[0] AND b._key = key[1] AND "
    )


@cache
def delete_relations(kind: str) -> str:
    return _between_known_ends(kind) + "r.revision IS NOT NULL DELETE r"


@cache
def get_relations(kind: str) -> str:
    return _between_known_ends(kind) + f"r.revision IS NOT NULL RETURN {relation_columns()}"


@cache
def find_relations(columns: tuple[str, ...]) -> str:
    """By the near end (and type, and far end) or by the far end."""
    node = "(a:CI {_key: value[1]})-[r]->(b:CI)" if columns[0] == "from_ci" else "(a:CI)-[r]->(b:CI {_key: value[1]})"
    tests = {"type": "toLower(type(r)) = value[2]", "to_ci": "b._key = value[3]"}
    where = "".join(f" AND {tests[column]}" for column in columns[1:])
    return (
        f"UNWIND $values AS value MATCH {node} WHERE r.revision IS NOT NULL{where} "
        f"RETURN {relation_columns()} ORDER BY value[0], a._key, toLower(type(r)), b._key"
    )


@cache
def find_relations_by(column: str, kinds: tuple[str, ...]) -> str:
    parts = _each_type(
        kinds, f"UNWIND $values AS value MATCH (a)-[r:{{}}]->(b) WHERE r.`{column}` = value[1]", "value[0]"
    )
    return f"CALL () {{ {parts} }} WITH * ORDER BY first, a._key, toLower(type(r)), b._key RETURN {relation_columns()}"


@cache
def relations_between(column: str, kinds: tuple[str, ...]) -> str:
    """One seek for each type, since an index on relationships belongs to a type."""
    match = f"MATCH (a)-[r:{{}}]->(b) WHERE r.`{column}` > $low AND r.`{column}` <= $high"
    parts = _each_type(kinds, match, f"r.`{column}`")
    return f"CALL () {{ {parts} }} WITH * ORDER BY first, a._key, toLower(type(r)), b._key RETURN {relation_columns()}"


def _each_type(kinds: tuple[str, ...], match: str, first: str) -> str:
    return " UNION ALL ".join(f"{match.format(kind)} RETURN a, r, b, {first} AS first" for kind in kinds)


@cache
def scan_relations(started: bool) -> str:
    after = "a._key >= $near" if started else "a._key >= ''"
    past = (
        " AND (a._key > $near OR toLower(type(r)) > $type OR (toLower(type(r)) = $type AND b._key > $far))"
        if started
        else ""
    )
    return (
        f"MATCH (a:CI) WHERE {after} WITH a ORDER BY a._key MATCH (a)-[r]->(b:CI) WHERE r.revision IS NOT NULL{past} "
        f"RETURN {relation_columns()} ORDER BY a._key, toLower(type(r)), b._key LIMIT $limit"
    )
