"""A preview tells of every row what the import then does with it, and by what a row meets what is there."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.seen import as_seen
from cmdb_server.ingest.decisions import decide
from cmdb_server.practices.imports.bring import Import, Outcome, bring
from cmdb_server.practices.imports.preview import RowPreview
from cmdb_server.projection.projections import Projections
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.port import Store
from cmdb_server.store.tables import CI
from tests.estate import Estate, minute
from tests.factories import host
from tests.shop import seeing

TABLE = """class,name,serial_number,os_name,parent
server,web-1,SNA,Debian,
server,db-1,SN12346,Rocky,
web_server,nginx,,,server:web-1
server,new-1,SN99999,AIX,
"""


def tried(store: Store, text: str = TABLE, *, dry_run: bool = True, **more: Any) -> Outcome:
    asked = Import("old-cmdb", "csv", text, **more)
    *_, outcome = bring(store, asked, "ann", classes(), minute(10), dry_run=dry_run)
    assert isinstance(outcome, Outcome)
    return outcome


def told(outcome: Outcome) -> dict[int, RowPreview]:
    assert len({one.row for one in outcome.preview}) == len(outcome.preview)
    return {one.row: one for one in outcome.preview}


def test_every_row_is_told_with_what_it_meets_and_by_what(either: Estate) -> None:
    either.tell(0, host("a", "10.0.0.1", os_name="Ubuntu"), host("db-1", "10.0.0.2", serial="SN12346", os_name="Rocky"))
    before = either.store.read(graph_digest)
    rows = told(tried(either.store))
    assert (either.store.read(graph_digest), either.store.revision()) == (before, 1)
    assert sorted(rows) == [2, 3, 4, 5]
    assert (rows[2].does, rows[2].ci, dict(rows[2].by)) == ("change", either.ci("a")["id"], {"serial": ("SNA",)})
    assert rows[2].values == {"serial_number": (None, "SNA")}, "what a scan says of its name and system is held truer"
    assert (rows[3].does, rows[3].name) == ("change", "db-1"), "its serial number is told for the first time"
    assert dict(rows[3].by) == {"name": ("db-1",), "serial": ("SN12346",)} and set(rows[3].values) == {"serial_number"}
    assert [(rows[at].does, rows[at].class_, rows[at].name) for at in (4, 5)] == [
        ("create", "web_server", "nginx"), ("create", "server", "new-1"),
    ]  # fmt: skip
    tried(either.store, dry_run=False)
    cis = {row[0]: row for row in either.rows(CI)}
    for row in rows.values():
        assert row.ci in cis
        for name, (_, then) in row.values.items():
            assert cis[row.ci][5].get(name) == then


def test_the_same_again_is_kept_and_what_differs_is_told(estate: Estate) -> None:
    tried(estate.store, dry_run=False)
    assert {one.does for one in tried(estate.store).preview} == {"keep"}
    rows = told(tried(estate.store, TABLE.replace("Rocky", "AIX")))
    assert [rows[at].does for at in (2, 3, 4, 5)] == ["keep", "change", "keep", "keep"]
    assert rows[3].values == {"os_name": ("Rocky", "AIX")}


def test_one_that_meets_another_and_changes_nothing(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1", serial_number="SNA", os_name="Debian"))
    rows = told(tried(estate.store, "class,name,serial_number\nserver,a,SNA\n"))
    assert (rows[2].does, rows[2].values) == ("meet", {})


def test_rows_with_faults_are_left_to_the_faults(estate: Estate) -> None:
    outcome = tried(estate.store, TABLE + "servr,x,,,\n")
    assert [fault.row for fault in outcome.faults] == [6] and set(told(outcome)) == {2, 3, 4, 5}
    assert tried(estate.store, dry_run=False).preview == ()


def test_what_people_deleted_is_told_to_come_back(estate: Estate) -> None:
    tried(estate.store, dry_run=False)
    decide(estate.store, "ann", "tombstone", {"sides": [[estate.ci("new-1")["id"]]]}, "", minute(5))
    assert told(tried(estate.store))[5].does in ("change", "keep")


@pytest.mark.parametrize("selector", ['name != "a"'])
def test_of_what_one_does_not_see_no_more_is_told_than_that_it_is_there(estate: Estate, selector: str) -> None:
    estate.tell(0, host("a", "10.0.0.1", serial_number="SNA", name_of="x"))
    viewer = seeing(Projections(estate.store), selector)
    text = "class,name,serial_number\nserver,a,SNA\n"
    try:
        (row,) = tried(as_seen(estate.store, viewer), text).preview
    except Exception as refusal:  # noqa: BLE001 - what would change it is refused whole
        assert "do not see" in str(refusal)
    else:
        assert (row.ci, row.class_, row.name, row.values, row.by) == (None, "", "", {}, {})
