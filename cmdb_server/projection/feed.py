"""What the change feed names since a revision."""

from __future__ import annotations

from cmdb_server.store.port import Reading
from cmdb_server.store.tables import FEED

RelationKey = tuple[str, str, str]


def changed(since: int, reading: Reading) -> tuple[list[str], set[RelationKey]]:
    """The ids of CIs and the keys of relations that changed after ``since``. The CIs in the order in which the feed names
    them first: those that are new are numbered in the same order by all who follow it, in however large steps."""
    cis: dict[str, None] = {}
    relations: set[RelationKey] = set()
    for _, kind, id_, _ in reading.between(FEED, "revision", since, reading.revision):
        if kind == "ci":
            cis[id_] = None
        elif kind == "relation":
            from_, type_, to = id_.split(" ")
            relations.add((from_, type_, to))
    return list(cis), relations
