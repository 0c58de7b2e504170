"""The row of a CI, from the records it is made of."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.report import Component, Observation
from cmdb_server.ingest.items import contained_by
from cmdb_server.store import tables
from tests.estate import Estate, minute
from tests.factories import host

IDS = {"serial": ["CZ3411AB0C"], "mac": ["3c:ec:ef:92:dc:74"]}


def box(class_: str = "server", address: str = "10.0.0.1", *parts: Component, **attributes: Any) -> Observation:
    return Observation("h", class_, address, None, IDS, attributes, components=list(parts))


def only(estate: Estate) -> dict[str, Any]:
    (row,) = [row for row in estate.rows(tables.CI) if not row[3]]
    return dict(zip([name for name, _ in tables.CI.columns], row, strict=True))


def test_classes_refine_in_place(estate: Estate) -> None:
    estate.tell(0, box("computer"), source="snmp")
    first = only(estate)["id"]
    estate.tell(1, box("linux_server"))
    assert (only(estate)["id"], only(estate)["class"]) == (first, "linux_server")


def test_what_is_there_outvotes_the_class_of_what_is_gone(estate: Estate) -> None:
    estate.tell(0, box("linux_server"))
    estate.tell(1, box("server"), source="snmp")
    estate.tell(2)
    assert only(estate)["class"] == "server"
    assert only(estate)["ended_at"] is None


def test_the_source_to_be_believed_wins_whoever_spoke_last(estate: Estate) -> None:
    estate.tell(0, box(os_name="Debian", role="web"))
    estate.tell(1, box(os_name="Linux", location="hall 2"), source="snmp")
    assert only(estate)["attributes"] == {"location": "hall 2", "os_name": "Debian", "role": "web"}
    estate.tell(2)
    assert only(estate)["attributes"] == {"location": "hall 2", "os_name": "Linux", "role": "web"}


@pytest.mark.parametrize(
    ("identifiers", "attributes", "native_key", "name"),
    [
        ({"name": ["n"]}, {"name": "told", "fqdn": "f"}, None, "told"),
        ({"name": ["n"]}, {"fqdn": "f.example.net"}, None, "f.example.net"),
        ({"name": ["n"]}, {}, None, "n"),
        ({}, {}, "vm-7", "vm-7"),
        ({}, {}, None, "10.0.0.1"),
    ],
)
def test_a_ci_has_the_best_name_there_is(
    estate: Estate, identifiers: dict[str, list[str]], attributes: dict[str, Any], native_key: str | None, name: str
) -> None:
    estate.tell(0, Observation("h", "server", "10.0.0.1", native_key, identifiers, attributes))
    assert only(estate)["name"] == name


def test_a_component_is_only_where_its_parent_is(estate: Estate) -> None:
    parts = [Component("db", "database_instance", "pg"), Component("c", "database_catalog", "shop", parent="db")]
    estate.tell(0, box("server", "10.0.0.1", *parts))
    estate.tell(1)
    assert {row[2]: row[7] for row in estate.rows(tables.CI)} == dict.fromkeys(("10.0.0.1", "pg", "shop"), minute(1))
    estate.tell(2, box("server", "10.0.0.1", *parts))
    assert {row[7] for row in estate.rows(tables.CI)} == {None}


def test_components_of_one_ci_are_one_by_class_and_key(estate: Estate) -> None:
    estate.tell(0, box("server", "10.0.0.1", Component("/", "file_system", "/", attributes={"type": "ext4"})))
    estate.tell(
        1, box("server", "10.0.0.1", Component("1", "file_system", "/"), Component("2", "disk", "/")), source="snmp"
    )
    parts = sorted(row[1] for row in estate.rows(tables.CI) if row[3])
    assert parts == ["disk", "file_system"]
    assert len([row for row in estate.rows(tables.RECORD) if row[7]]) == 3


def test_how_a_component_hangs_on_its_parent_follows_from_its_class(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1", listens=[80]))
    assert estate.relations("runs_on", "contains") >= {("app", "runs_on", "a")}
    for name, class_ in classes().items():
        ends = contained_by(classes(), "part", "whole", name)
        assert (ends is None) == (class_.containment is None)
        assert ends is None or {ends[0], ends[2]} == {"part", "whole"}


def test_a_row_that_says_the_same_is_not_written_again(estate: Estate) -> None:
    first = estate.tell(0, box(os_name="1"))
    estate.tell(1, box(os_name="1"), source="snmp")
    assert only(estate)["revision"] == first.revision
