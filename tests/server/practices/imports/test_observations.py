from __future__ import annotations

from cmdb_schemas.ci_class import classes
from cmdb_schemas.report import End
from cmdb_server.practices.imports.entry import Entry, Link
from cmdb_server.practices.imports.observations import observations

KINDS = classes()


def entry(row: int, class_: str, name: str, *links: Link, parent: str = "", **attributes: object) -> Entry:
    return Entry(row, class_, name, {"name": name, **attributes}, links=links, parent=parent, id=f"id-{name}")


def test_components_stand_within_their_thing_and_ends_are_told_as_they_are_found() -> None:
    checked = observations(
        [
            entry(1, "server", "web", Link("located_in", "site:Oslo"), Link("depends_on", "db"), serial_number="SN1"),
            entry(2, "server", "db", Link("installs", "software_package:pkg:deb/x"), Link("runs_on", "app", True)),
            entry(3, "web_server", "app", Link("depends_on", "server:other"), parent="id-web"),
            entry(4, "network_interface", "eth0", Link("connects_to", "p1"), parent="web"),
            entry(5, "network_interface", "p1", parent="db"),
        ],
        KINDS,
    )
    assert checked.faults == []
    db, web = checked.observations
    assert web.identifiers == {"name": ["web"], "serial": ["SN1"]} and web.native_key == "web"
    assert [part.ref for part in web.components] == ["app", "eth0"]
    assert [(one.type, one.from_, one.to) for one in web.relations] == [
        ("located_in", End(ref=""), End(class_="site", name="Oslo")),
        ("depends_on", End(ref=""), End(native_key="db")),
        ("depends_on", End(ref="app"), End(class_="server", identifiers={"name": ["other"]})),
        ("connects_to", End(ref="eth0"), End(native_key="db", identifiers={"if_name": ["p1"]})),
    ]
    assert db.relations[0].to == End(class_="software_package", key="pkg:deb/x")
    assert db.relations[1].from_ == End(native_key="web", identifiers={"if_name": ["app"]})


def test_every_fault_has_its_row() -> None:
    checked = observations(
        [
            entry(1, "servr", "a"),
            entry(2, "server", "b", colour="red", cpu_count="x"),
            Entry(3, "server", "c", {}),
            entry(4, "web_server", "d"),
            entry(5, "server", "e", parent="b"),
            entry(6, "web_server", "f", parent="nothing"),
            entry(7, "software_package", "g"),
            entry(8, "server", "h", Link("loves", "b"), Link("runs_on", "b"), Link("depends_on", "nobody")),
            entry(9, "server", "h"),
            entry(10, "server", "x" * 300),
            entry(11, "web_server", "i", parent="j"),
            entry(12, "web_server", "j", parent="i"),
            entry(13, "server", "fine"),
        ],
        KINDS,
    )
    found = {(fault.row, fault.column) for fault in checked.faults}
    assert found == {
        (1, "class"), (2, "colour"), (2, "cpu_count"), (3, "name"), (4, "parent"), (5, "parent"), (6, "parent"),
        (7, "class"), (8, "loves"), (8, "runs_on"), (8, "depends_on"), (9, "key"), (10, ""), (11, "parent"),
        (12, "parent"),
    }  # fmt: skip
    assert [seen.ref for seen in checked.observations] == ["fine"]
