"""How tables, classes and relation types are called in the graph."""

from __future__ import annotations

import re
from functools import cache

from cmdb_server.errors import Invalid
from cmdb_server.store.tables import CI, RELATION_TYPE, TABLES, Table

STORE = "CmdbStore"
"""The label of the one node that keeps revision and schema version."""
CLASS = re.compile(r"[a-z][a-z0-9_]{0,99}")
ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}")


def pascal_case(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


@cache
def label_of(table: Table) -> str:
    """``identifier`` is ``Identifier``; configuration items are ``CI``."""
    return "CI" if table is CI else pascal_case(table.name)


@cache
def class_label(name: str) -> str | None:
    """The label of a CI class, ``None`` for a text that is no class's name. A class called like a table gets the
    suffix ``Class``, so that its nodes are not taken for rows of it."""
    if not CLASS.fullmatch(name) or name == "ci":
        return None
    label = pascal_case(name)
    return label + "Class" if label in {STORE, *map(label_of, TABLES)} else label


def relationship_type(kind: str) -> str:
    """``depends_on`` is ``DEPENDS_ON``. Types are part of the query's text, so nothing but a plain word passes."""
    if not isinstance(kind, str) or not RELATION_TYPE.fullmatch(kind):
        raise Invalid(f"{kind!r} is no type of a relation")
    return kind.upper()
