"""Which constraints and indexes tables need; that look-ups use them is seen on a real server in ``test_cypher.py``."""

from __future__ import annotations

import re

import pytest

from cmdb_server.store.neo4j.schema import create_all, create_table, name_of, relationship_index
from cmdb_server.store.tables import RELATION, TABLES, Table

MADE = Table(
    "made_up",
    "history",
    (("record", "text"), ("at", "integer"), ("revision", "integer"), ("far", "text"), ("near", "text")),
    key=("record", "at", "revision"),
    indexes=(("revision",), ("far",), ("far", "near"), ("record", "at")),
)
LOG = Table("told", "log", (("revision", "integer"), ("part", "integer")), key=("revision", "part"))


def indexed(table: Table) -> list[str]:
    """The properties of each index."""
    found = [re.search(r"^CREATE INDEX .* ON \((.*)\)$", statement) for statement in create_table(table)]
    return [match[1].replace("n.", "").replace("`", "") for match in found if match]


def test_several_columns_have_one_text_and_the_key_has_its_own() -> None:
    """An index on several properties answers for all of them together only; a text also for its beginning."""
    assert indexed(MADE) == ["_by_far_near", "revision"]
    assert indexed(LOG) == []


@pytest.mark.parametrize("table", [table for table in TABLES if table is not RELATION], ids=lambda table: table.name)
def test_every_table_has_one_row_a_key(table: Table) -> None:
    assert [statement for statement in create_table(table) if "REQUIRE n._key IS UNIQUE" in statement] != []


def test_relations_are_relationships_and_have_no_label() -> None:
    assert create_table(RELATION) == []
    assert relationship_index("DEPENDS_ON").endswith("FOR ()-[r:DEPENDS_ON]-() ON (r.revision)")


def test_everything_may_be_made_again() -> None:
    """A store is opened by many processes, and after an interruption."""
    statements = create_all((*TABLES, MADE, LOG))
    assert all(" IF NOT EXISTS " in statement for statement in statements)
    names = [name_of(statement) for statement in statements]
    assert len(names) == len(set(names))
