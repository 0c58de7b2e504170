"""Rows of ``relation`` as real relationships between CI nodes.

A relationship's type cannot be a parameter, so rows are grouped by type and each type has its query. People may draw
relationships of their own; those without a ``revision`` are no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, Protocol

from cmdb_server.errors import Invalid
from cmdb_server.store.neo4j import queries
from cmdb_server.store.neo4j.naming import relationship_type
from cmdb_server.store.neo4j.values import key_text, properties
from cmdb_server.store.port import Key, Row
from cmdb_server.store.tables import RELATION, RELATION_TYPE, Table

BATCH = 10_000
FROM, TYPE, TO = (RELATION.position(column) for column in RELATION.key)


class Running(Protocol):
    """What is asked of a transaction here."""

    def run(self, query: str, **parameters: Any) -> Any: ...

    def rows(self, table: Table, query: str, **parameters: Any) -> list[Row]: ...


def _by_type(keys: Iterable[Row], position: int) -> Iterator[tuple[str, list[Row]]]:
    """Grouped by relationship type, each group in the order it came."""
    type_of: Callable[[Row], str] = lambda row: relationship_type(row[position])  # noqa: E731
    for kind, group in groupby(sorted(keys, key=type_of), key=type_of):
        yield kind, list(group)


def _batches(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _plain(keys: Iterable[Key]) -> list[Key]:
    """The keys whose type can be one; no row has another."""
    return [key for key in keys if isinstance(key[1], str) and RELATION_TYPE.fullmatch(key[1])]


def get(transaction: Running, keys: list[Key]) -> list[Row]:
    rows: list[Row] = []
    for kind, same in _by_type(_plain(keys), 1):
        for part in _batches([[key_text(key[:1]), key_text(key[2:])] for key in same]):
            rows += transaction.rows(RELATION, queries.get_relations(kind), keys=part)
    return rows


def find(transaction: Running, columns: tuple[str, ...], values: list[Key]) -> list[Row]:
    if columns[0] in {"from_ci", "to_ci"}:
        numbered = [
            [
                number,
                *(
                    key_text((value,)) if column != "type" else value
                    for column, value in zip(columns, line, strict=True)
                ),
            ]
            for number, line in enumerate(values)
        ]
        return transaction.rows(RELATION, queries.find_relations(columns), values=numbered)
    if not (kinds := types(transaction)):
        return []
    numbered = [[number, *line] for number, line in enumerate(values)]
    return transaction.rows(RELATION, queries.find_relations_by(columns[0], kinds), values=numbered)


def scan(transaction: Running, after: Key | None, limit: int) -> list[Row]:
    if after is None:
        return transaction.rows(RELATION, queries.scan_relations(started=False), limit=limit)
    place = {"near": key_text(after[:1]), "type": after[1], "far": key_text(after[2:])}
    return transaction.rows(RELATION, queries.scan_relations(started=True), limit=limit, **place)


def between(transaction: Running, column: str) -> str | None:
    """The query for a range of revisions, ``None`` when there are no relations."""
    kinds = types(transaction)
    return queries.relations_between(column, kinds) if kinds else None


def types(transaction: Running) -> tuple[str, ...]:
    """The relationship types that relations may have."""
    names = [record[0] for record in transaction.run("CALL db.relationshipTypes()")]
    return tuple(sorted(name for name in names if name == name.upper() and RELATION_TYPE.fullmatch(name.lower())))


def store(transaction: Running, rows: list[Row], replace: bool) -> set[str]:
    """Merges the rows; the relationship types they have. Raises ``Invalid`` where an end is no CI."""
    entries = [(row[TYPE], _entry(row)) for row in rows]
    kinds = set()
    for kind, same in _by_type(entries, 0):
        kinds.add(kind)
        for part in _batches([entry for _, entry in same]):
            stored = transaction.run(queries.store_relations(kind, replace), rows=part).single(strict=True)[0]
            if stored != len(part):
                raise _missing_end(transaction, part)
    return kinds


def _entry(row: Row) -> dict[str, Any]:
    own = properties(RELATION, row)
    near, far = key_text((row[FROM],)), key_text((row[TO],))
    for name in ("_key", "from_ci", "_long_from_ci", "type", "to_ci", "_long_to_ci"):
        own.pop(name, None)
    return {"near": near, "far": far, "properties": own}


def _missing_end(transaction: Running, rows: list[dict[str, Any]]) -> Invalid:
    ends = sorted({end for row in rows for end in (row["near"], row["far"])})
    missing = transaction.run(queries.MISSING_ENDS, keys=ends).single(strict=True)[0]
    return Invalid(f"a relation's end is no CI: {missing}")


def delete(transaction: Running, keys: list[Key]) -> None:
    for kind, same in _by_type(_plain(keys), 1):
        for part in _batches([[key_text(key[:1]), key_text(key[2:])] for key in same]):
            transaction.run(queries.delete_relations(kind), keys=part).consume()
