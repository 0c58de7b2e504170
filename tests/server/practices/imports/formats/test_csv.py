from __future__ import annotations

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.practices.imports.entry import Entry, Fault, Link, Options
from cmdb_server.practices.imports.formats.csv import read

OPTIONS = Options(classes())


def test_attributes_are_typed_by_the_class_and_relations_named_by_their_columns() -> None:
    text = (
        "\ufeffclass,name,cpu_count,memory,ip_addresses,is_virtual,runs,rel:owned_by,key,life\r\n"
        'server,web-1,4,16 GiB,10.0.0.1; 10.0.0.2,yes,"a;b",person:Ann,k1,current\r\n\r\n'
        "network_interface,'=eth0,,,,,,,,\r\n"
    )
    server, port = read(text, OPTIONS)
    assert isinstance(server, Entry) and isinstance(port, Entry)
    assert server.row == 2 and server.key == "k1" and port.row == 4 and port.key == "network_interface:=eth0"
    assert server.attributes == {
        "name": "web-1", "cpu_count": 4, "memory": {"value": 16, "unit": "GiB"},
        "ip_addresses": ["10.0.0.1", "10.0.0.2"], "is_virtual": True,
    }  # fmt: skip
    assert server.links == (Link("runs_on", "a", True), Link("runs_on", "b", True), Link("owned_by", "person:Ann"))


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ("name\nx\n", 1, "class"),
        ("", 1, "class"),
        ("class,name,name\n", 1, "name"),
        ("class,name,colour\n", 1, "colour"),
        ("class,name\nserver,x,y\n", 2, ""),
        ('class,name\nserver,"x\n', 2, ""),
    ],
)
def test_faults_name_row_and_column(text: str, row: int, column: str) -> None:
    faults = [one for one in read(text, OPTIONS) if isinstance(one, Fault)]
    assert (row, column) in {(fault.row, fault.column) for fault in faults}


@pytest.mark.parametrize("separator", [";", "\t"])
def test_spreadsheets_separate_by_other_marks_too(separator: str) -> None:
    (told,) = read(separator.join(("class", "name")) + "\n" + separator.join(("server", "a, b")) + "\n", OPTIONS)
    assert isinstance(told, Entry) and told.attributes == {"name": "a, b"}
