from __future__ import annotations

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.practices.imports.entry import Entry, Fault, Link, Options
from cmdb_server.practices.imports.formats.json import read

OPTIONS = Options(classes())
ONE = (
    '{"class": "server", "name": "a", "attributes": {"cpu_count": 4}, "relations": [{"type": "depends_on", "to": "b"}]}'
)


@pytest.mark.parametrize("wrap", ["[{}]", '{{"items": [{}]}}', "{}", "{}\n{}\n"])
def test_lists_items_and_lines(wrap: str) -> None:
    entries = list(read(wrap.format(ONE, ONE), OPTIONS))
    wanted = Entry(1, "server", "server:a", {"cpu_count": 4, "name": "a"}, links=(Link("depends_on", "b"),))
    assert entries[0] == wanted and len(entries) == wrap.count("{}")


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ("[", 0, ""), ("[" * 100_000, 0, ""), ("[1]", 1, ""), ('[{"class": 1}]', 1, "class"),
        ('[{"attributes": 3}]', 1, "attributes"), ('[{"relations": [1]}]', 1, "relations[0]"),
        ('[{"relations": [{"type": "x", "to": "y", "group": 3}]}]', 1, "relations[0]"),
    ],
)  # fmt: skip
def test_faults_name_row_and_member(text: str, row: int, column: str) -> None:
    (fault,) = read(text, OPTIONS)
    assert isinstance(fault, Fault) and (fault.row, fault.column) == (row, column)
