"""An export, edited and brought back: rows that say outright which CI they are."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers import export
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.decisions import undo
from cmdb_server.ingest.declare import create
from cmdb_server.practices.imports import ties
from cmdb_server.practices.imports.bring import Import, Outcome, bring
from cmdb_server.store import tables
from tests.estate import Estate, minute

ANN = Viewer("ann", "reader", classes())


def exported(estate: Estate, format_: str = "csv") -> str:
    return b"".join(export.export(export.Selection(estate.store, ANN, None, minute(9)), format_)).decode()


def brought(estate: Estate, text: str, format_: str = "csv", *, at: float = 10, dry_run: bool = False) -> Outcome:
    asked = Import("sheet", format_, text, complete=True)
    *_, outcome = bring(estate.store, asked, "ann", classes(), minute(at), dry_run=dry_run)
    assert isinstance(outcome, Outcome)
    return outcome


def entered(estate: Estate, name: str = "X", **attributes: Any) -> str:
    return create(estate.store, "ann", "server", {"name": name, **attributes}, now_ms=minute(1)).ci


@pytest.mark.parametrize(("format_", "reader"), [("csv", "csv"), ("jsonl", "json")])
def test_an_export_brought_back_is_about_what_it_was_of(estate: Estate, format_: str, reader: str) -> None:
    ci = entered(estate, os_name="Debian")
    text = exported(estate, format_).replace("Debian", "Rocky")
    (row,) = brought(estate, text, reader, dry_run=True).preview
    assert (row.does, row.ci) == ("meet", ci), "what a person entered outranks a file"
    assert brought(estate, text, reader).faults == ()
    assert [row[0] for row in estate.rows(tables.CI)] == [ci]
    (decision,) = estate.rows(tables.DECISION)
    assert decision[2] == "merge" and decision[4] == "ann"


def test_it_is_said_once_and_can_be_undone(estate: Estate) -> None:
    entered(estate)
    text = exported(estate)
    brought(estate, text)
    (decision,) = estate.rows(tables.DECISION)
    undo(estate.store, "bob", decision[0], "they are two", minute(11))
    assert len(estate.rows(tables.CI)) == 2
    brought(estate, text, at=12)
    assert len(estate.rows(tables.CI)) == 2, "who undid it is not overruled by the same file"


def test_evidence_goes_before_the_id(estate: Estate) -> None:
    entered(estate, serial_number="CZ3411AB0C")
    brought(estate, exported(estate))
    assert len(estate.rows(tables.CI)) == 1 and estate.rows(tables.DECISION) == []


def test_an_id_from_elsewhere_means_nothing(estate: Estate) -> None:
    text = "id,class,name\n0a54a3bd-9a4a-5a5e-8f0e-93a2f5ad3d9e,server,X\n"
    assert brought(estate, text).faults == ()
    assert len(estate.rows(tables.CI)) == 1 and estate.rows(tables.DECISION) == []


def test_too_many_are_refused_before_any_is_tied(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("X", "Y"):
        entered(estate, name)
    monkeypatch.setattr(ties, "MOST", 1)
    outcome = brought(estate, exported(estate))
    assert [(fault.column, fault.message) for fault in outcome.faults] == [
        ("id", "2 rows bear nothing but the id of a CI: at most 1 are tied at a time")
    ]
    assert not outcome.applied and len(estate.rows(tables.CI)) == 2


def test_what_only_people_tell_of_is_known_by_its_name_within_its_class(estate: Estate) -> None:
    oslo = create(estate.store, "ann", "site", {"name": "Oslo, Main Street 1"}, now_ms=minute(1)).ci
    text = 'class,name,located_in\nsite,"Oslo, Main Street 1",\nsupplier,"Oslo, Main Street 1",\nrack,R1,"site:Oslo, Main Street 1"\n'
    assert brought(estate, text).faults == ()
    asked = Import("other", "csv", text.replace("rack,R1", "rack,R2"))
    *_, outcome = bring(estate.store, asked, "ann", classes(), minute(11), dry_run=False)
    assert isinstance(outcome, Outcome) and outcome.faults == ()
    told = sorted((row[1], row[2]) for row in estate.rows(tables.CI))
    assert told == [
        ("rack", "R1"),
        ("rack", "R2"),
        ("site", "Oslo, Main Street 1"),
        ("supplier", "Oslo, Main Street 1"),
    ]
    ends = {(name, to) for name, _, to in estate.relations("located_in")}
    assert ends == {("R1", "Oslo, Main Street 1"), ("R2", "Oslo, Main Street 1")}
    assert [row[0] for row in estate.rows(tables.CI) if row[1] == "site"] == [oslo]


def test_a_name_that_others_of_the_class_may_have_ties_nothing(estate: Estate) -> None:
    create(estate.store, "ann", "rack", {"name": "R1"}, now_ms=minute(1))
    brought(estate, "class,name\nrack,R1\n")
    assert len(estate.rows(tables.CI)) == 2
