from __future__ import annotations

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.errors import Invalid
from cmdb_server.store.neo4j.naming import class_label, label_of, relationship_type
from cmdb_server.store.tables import CI, IDENTIFIER, TABLES
from tests.store_rows import HOSTILE


def test_names_read_as_cypher_does() -> None:
    assert label_of(CI) == "CI"
    assert label_of(IDENTIFIER) == "Identifier"
    assert class_label("network_device") == "NetworkDevice"
    assert relationship_type("depends_on") == "DEPENDS_ON"


@pytest.mark.parametrize("text", [*HOSTILE, "Upper", "a b", "a`b", "1a", "ci"])
def test_what_is_no_class_name_has_no_label(text: str) -> None:
    assert class_label(text) is None


@pytest.mark.parametrize("text", [*HOSTILE, "DEPENDS_ON", "a-b", "a]->(b", "a\n", 5, None])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="no type"):
        relationship_type(text)


def test_no_class_is_taken_for_a_table() -> None:
    tables = {label_of(table) for table in TABLES}
    labels = [class_label(name) for name in (*classes(), *(table.name for table in TABLES)) if name != "ci"]
    assert not tables & set(labels)
