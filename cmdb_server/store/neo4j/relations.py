"""Rows of ``relation`` as real relationships between CI nodes.

A relationship's type cannot be a parameter, so rows are grouped by type and each type has its query. People may draw
relationships of their own; those without a ``revision`` are no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby
from typing import Any, Protocol

from cmdb_server.errors import Invalid
from cmdb_server.store.neo4j import queries
from cmdb_server.store.neo4j.entries import Entry, names
from cmdb_server.store.neo4j.naming import relationship_type
from cmdb_server.store.neo4j.unsaved import Values
from cmdb_server.store.neo4j.values import key_text
from cmdb_server.store.port import Key
from cmdb_server.store.tables import RELATION, RELATION_TYPE

BATCH = 10_000
TYPE = names(RELATION).index("type")
NEAR, FAR = len(names(RELATION)), len(names(RELATION)) + 1
"""Places in an entry."""


class Running(Protocol):
    """What is asked of a transaction here."""

    def run(self, query: str, **parameters: Any) -> Any: ...

    def collected(self, query: str, **parameters: Any) -> list[Values]: ...


def _by_type(keys: Iterable[Any], position: int) -> Iterator[tuple[str, list[Any]]]:
    """Grouped by relationship type, each group in the order it came."""
    type_of: Callable[[Any], str] = lambda row: relationship_type(row[position])  # noqa: E731
    for kind, group in groupby(sorted(keys, key=type_of), key=type_of):
        yield kind, list(group)


def _batches(rows: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _between(keys: Iterable[Key]) -> Iterator[tuple[str, list[Any]]]:
    """The ends by type, as far as the type can be one; no row has another."""
    plain = [key for key in keys if isinstance(key[1], str) and RELATION_TYPE.fullmatch(key[1])]
    for kind, same in _by_type(plain, 1):
        for part in _batches([[key_text(key[:1]), key_text(key[2:])] for key in same]):
            yield kind, part


def get(transaction: Running, keys: list[Key]) -> list[Values]:
    parts = [transaction.collected(queries.get_relations(kind), keys=part) for kind, part in _between(keys)]
    return list(chain.from_iterable(parts))


def find(transaction: Running, columns: tuple[str, ...], values: list[Key]) -> list[Values]:
    if columns[0] in {"from_ci", "to_ci"}:
        told = [
            [value if column == "type" else key_text((value,)) for column, value in zip(columns, line, strict=True)]
            for line in values
        ]
        return transaction.collected(queries.find_relations(columns), values=told)
    if not (kinds := types(transaction)):
        return []
    return transaction.collected(queries.find_relations_by(columns[0], kinds), values=list(map(list, values)))


def scan(transaction: Running, after: Key | None, limit: int) -> list[Values]:
    if after is None:
        return transaction.collected(queries.scan_relations(started=False), limit=limit)
    place = {"near": key_text(after[:1]), "type": after[1], "far": key_text(after[2:])}
    return transaction.collected(queries.scan_relations(started=True), limit=limit, **place)


def between(transaction: Running, column: str) -> str | None:
    """The query for a range of revisions, ``None`` when there are no relations."""
    kinds = types(transaction)
    return queries.relations_between(column, kinds) if kinds else None


def types(transaction: Running) -> tuple[str, ...]:
    """The relationship types that relations may have."""
    found = [record[0] for record in transaction.run("CALL db.relationshipTypes()")]
    return tuple(sorted(name for name in found if name == name.upper() and RELATION_TYPE.fullmatch(name.lower())))


def create(transaction: Running, entries: list[Entry]) -> set[str]:
    """Writes relations that are new; the relationship types they have. Raises ``Invalid`` where an end is no CI."""
    kinds = set()
    for kind, same in _by_type(entries, TYPE):
        kinds.add(kind)
        for part in _batches(same):
            stored = transaction.run(queries.create_relations(kind), rows=part).single(strict=True)[0]
            if stored != len(part):
                raise _missing_end(transaction, part)
    return kinds


def replace(transaction: Running, entries: list[Entry]) -> None:
    """Gives relations that are there other values."""
    for kind, same in _by_type(entries, TYPE):
        for part in _batches(same):
            transaction.run(queries.replace_relations(kind), rows=part).consume()


def _missing_end(transaction: Running, entries: list[Entry]) -> Invalid:
    ends = sorted({end for entry in entries for end in (entry[NEAR], entry[FAR])})
    missing = transaction.run(queries.MISSING_ENDS, keys=ends).single(strict=True)[0]
    return Invalid(f"a relation's end is no CI: {missing}")


def delete(transaction: Running, keys: list[Key]) -> None:
    for kind, part in _between(keys):
        transaction.run(queries.delete_relations(kind), keys=part).consume()
