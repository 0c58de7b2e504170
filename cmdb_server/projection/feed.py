"""What the change feed names since a revision."""

from __future__ import annotations

from cmdb_server.store.port import Reading
from cmdb_server.store.tables import FEED

RelationKey = tuple[str, str, str]


def changed(since: int, reading: Reading) -> tuple[set[str], set[RelationKey]]:
    """The ids of CIs and the keys of relations that changed after ``since``."""
    cis: set[str] = set()
    relations: set[RelationKey] = set()
    for _, kind, id_, _ in reading.between(FEED, "revision", since, reading.revision):
        if kind == "ci":
            cis.add(id_)
        elif kind == "relation":
            from_, type_, to = id_.split(" ")
            relations.add((from_, type_, to))
    return cis, relations
