"""The Cypher a table needs. Names come from ``store.tables``; everything else is a parameter.

Reads give their rows in lists of a thousand: a record of its own for each costs the driver more than all of its values.
Queries name the index they seek by, and so need no new plan when tables have grown.
"""

from __future__ import annotations

from functools import cache

from cmdb_server.store.neo4j.entries import columns_of, names, way
from cmdb_server.store.neo4j.naming import STORE, label_of
from cmdb_server.store.tables import CI, RELATION, Table

STATE = f"MATCH (store:{STORE}) RETURN store.revision, store.schema, store.loading"
LOCK = f"MATCH (store:{STORE}) SET store.turn = true"
"""Writing a property takes the node's lock until the transaction ends: the writers' mutex."""
NEXT = f"{LOCK} WITH store SET store.revision = store.revision + 1 RETURN store.revision, store.loading"
"""Takes the lock first, so that it adds to what the writer before it left."""
AS_PLANNED = "CYPHER replan=skip "


def _collected(columns: str) -> str:
    return (
        f"WITH collect([{columns}]) AS found UNWIND range(0, size(found) - 1, 1000) AS at RETURN found[at..at + 1000]"
    )


@cache
def relation_columns() -> str:
    """A relation's columns; its ends and type are those of the relationship."""
    given = {"from_ci": "coalesce(a._long_id, a.id)", "type": "toLower(type(r))", "to_ci": "coalesce(b._long_id, b.id)"}
    return ", ".join(given.get(name, f"r.`{name}`") for name, _ in RELATION.columns)


# Reading ---------------------------------------------------------------------------------------------------------------


@cache
def get(table: Table) -> str:
    return (
        f"{AS_PLANNED}UNWIND $keys AS key MATCH (n:{label_of(table)} {{_key: key}}) USING INDEX SEEK n:{label_of(table)}(_key) "
        + _collected(columns_of(table, "n"))
    )


@cache
def find(table: Table, columns: tuple[str, ...]) -> str:
    """By values, or by the beginnings of texts (see ``entries.way``)."""
    name, told = way(table, columns)
    equals = "=" if columns == told else "STARTS WITH"
    return (
        f"{AS_PLANNED}UNWIND $values AS value MATCH (n:{label_of(table)}) USING INDEX SEEK n:{label_of(table)}(`{name}`) "
        f"WHERE n.`{name}` {equals} value {_collected(columns_of(table, 'n'))}"
    )


@cache
def scan(table: Table, started: bool) -> str:
    after = "n._key > $after" if started else "n._key >= ''"
    return f"MATCH (n:{label_of(table)}) WHERE {after} WITH n ORDER BY n._key LIMIT $limit " + _collected(
        columns_of(table, "n")
    )


@cache
def between(table: Table, column: str) -> str:
    """Above ``low`` and not above ``high``: numbers, or texts that come after all that begin with theirs."""
    name, _ = way(table, (column,))
    return (
        f"MATCH (n:{label_of(table)}) USING INDEX SEEK n:{label_of(table)}(`{name}`) WHERE n.`{name}` > $low AND n.`{name}` <= $high "
        f"RETURN {columns_of(table, 'n')} ORDER BY n.`{name}`, n._key"
    )


@cache
def count(table: Table) -> str:
    if table is RELATION:
        return "MATCH (:CI)-[r]->(:CI) WHERE r.revision IS NOT NULL RETURN count(r)"
    return f"MATCH (n:{label_of(table)}) RETURN count(n)"


# Writing ---------------------------------------------------------------------------------------------------------------


def _literal(table: Table) -> str:
    return ", ".join(f"`{name}`: row[{at}]" for at, name in enumerate(names(table)))


@cache
def create(table: Table) -> str:
    """Rows whose keys are known to be new."""
    more = f" SET n += row[{len(names(CI))}], n:$(row[{len(names(CI)) + 1}])" if table is CI else ""
    return f"{AS_PLANNED}UNWIND $rows AS row CREATE (n:{label_of(table)} {{{_literal(table)}}}){more}"


@cache
def replace(table: Table) -> str:
    merge = f"{AS_PLANNED}UNWIND $rows AS row MERGE (n:{label_of(table)} {{_key: row[0]}})"
    if table is not CI:  # each on its own: a map could hold the key, for which the server would stop at each row
        return merge + " SET " + ", ".join(f"n.`{name}` = row[{at}]" for at, name in enumerate(names(table)) if at)
    more = len(names(CI))
    return (
        f"{merge} SET n = {{{_literal(table)}}} SET n += row[{more}] "
        f"REMOVE n:$([label IN labels(n) WHERE NOT label IN row[{more + 1}] AND label <> 'CI']) SET n:$(row[{more + 1}])"
    )


@cache
def insert(table: Table) -> str:
    """A node that is there keeps everything, labels included."""
    merge = f"{AS_PLANNED}UNWIND $rows AS row MERGE (n:{label_of(table)} {{_key: row[0]}}) ON CREATE SET "
    if table is not CI:
        return merge + ", ".join(f"n.`{name}` = row[{at}]" for at, name in enumerate(names(table)) if at)
    more = len(names(CI))
    return f"{merge}n = {{{_literal(table)}}}, n += row[{more}], n:$(row[{more + 1}])"


@cache
def delete(table: Table) -> str:
    detach = "DETACH " if table is CI else ""
    return f"{AS_PLANNED}UNWIND $keys AS key MATCH (n:{label_of(table)} {{_key: key}}) {detach}DELETE n"


# Relations -------------------------------------------------------------------------------------------------------------


def _own() -> list[tuple[int, str]]:
    """The places and names of what a relationship bears itself; its ends and type are not repeated."""
    columns = [name for name, _ in RELATION.columns if name not in RELATION.key]
    return [(at, name) for at, name in enumerate(names(RELATION)) if name in columns]


@cache
def create_relations(kind: str) -> str:
    """``kind`` is a relationship type that ``naming`` has checked. Counts the rows whose CIs are there."""
    near = len(names(RELATION))
    values = ", ".join(f"`{name}`: row[{at}]" for at, name in _own())
    return (
        f"{AS_PLANNED}UNWIND $rows AS row MATCH (a:CI {{_key: row[{near}]}}) USING INDEX SEEK a:CI(_key) "
        f"MATCH (b:CI {{_key: row[{near + 1}]}}) USING INDEX SEEK b:CI(_key) CREATE (a)-[:{kind} {{{values}}}]->(b) RETURN count(*)"
    )


MISSING_ENDS = "UNWIND $keys AS key OPTIONAL MATCH (n:CI {_key: key}) WITH key, n WHERE n IS NULL RETURN key LIMIT 1"


def _between_known_ends(kind: str, each: str, near: str, far: str) -> str:
    """Both ends are found before what is between them: from a package that every host has, one end would lead over all
    of its relations."""
    return (
        f"{AS_PLANNED}UNWIND {each} MATCH (a:CI)-[r:{kind}]->(b:CI) USING INDEX SEEK a:CI(_key) USING INDEX SEEK b:CI(_key) "
        f"WHERE a._key = {near} AND b._key = {far} AND r.revision IS NOT NULL "
    )


@cache
def replace_relations(kind: str) -> str:
    near = len(names(RELATION))
    values = ", ".join(f"r.`{name}` = row[{at}]" for at, name in _own())
    return _between_known_ends(kind, "$rows AS row", f"row[{near}]", f"row[{near + 1}]") + f"SET {values}"


@cache
def delete_relations(kind: str) -> str:
    return _between_known_ends(kind, "$keys AS key", "key[0]", "key[1]") + "DELETE r"


@cache
def get_relations(kind: str) -> str:
    return _between_known_ends(kind, "$keys AS key", "key[0]", "key[1]") + _collected(relation_columns())


@cache
def find_relations(columns: tuple[str, ...]) -> str:
    """By the near end (and type, and far end) or by the far end."""
    end = "a" if columns[0] == "from_ci" else "b"
    tests = {"type": "toLower(type(r)) = value[1]", "to_ci": "b._key = value[2]"}
    where = "".join(f" AND {tests[column]}" for column in columns[1:])
    return (
        f"UNWIND $values AS value MATCH (a:CI)-[r]->(b:CI) USING INDEX SEEK {end}:CI(_key) "
        f"WHERE {end}._key = value[0] AND r.revision IS NOT NULL{where} {_collected(relation_columns())}"
    )


@cache
def find_relations_by(column: str, kinds: tuple[str, ...]) -> str:
    match = f"UNWIND $values AS value MATCH (a)-[r:{{0}}]->(b) USING INDEX SEEK r:{{0}}(`{column}`) WHERE r.`{column}` = value[0]"
    parts = _each_type(kinds, match, "0")
    return f"CALL () {{ {parts} }} {_collected(relation_columns())}"


@cache
def relations_between(column: str, kinds: tuple[str, ...]) -> str:
    """One seek for each type, since an index on relationships belongs to a type."""
    range_ = f"r.`{column}` > $low AND r.`{column}` <= $high"
    match = f"MATCH (a)-[r:{{0}}]->(b) USING INDEX SEEK r:{{0}}(`{column}`) WHERE {range_}"
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
        f"MATCH (a:CI) USING INDEX SEEK a:CI(_key) WHERE {after} WITH a ORDER BY a._key MATCH (a)-[r]->(b:CI) WHERE r.revision IS NOT NULL{past} "
        f"WITH a, r, b ORDER BY a._key, toLower(type(r)), b._key LIMIT $limit {_collected(relation_columns())}"
    )
