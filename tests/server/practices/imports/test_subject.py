"""Which CI a bill of materials is of: by id, name, identifier; told apart, or refused with all that it may be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers import inventory
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.practices.imports.bring import Import, Outcome, bring
from cmdb_server.practices.imports.entry import Fault, Subject
from cmdb_server.practices.imports.subject import subject
from cmdb_server.store import tables
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report

ANN = Viewer("ann", "reader", classes())
BILL = json.dumps({
    "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"type": "application", "name": "shop"}},
    "components": [{
        "type": "library", "group": "org.example", "name": "core", "version": "2.1", "manufacturer": {"name": "Example"},
        "purl": "pkg:maven/org.example/core@2.1?arch=amd64", "swid": {"tagId": "t-1"},
        "externalReferences": [{"type": "website", "url": "https://core.example"}],
    }],
})  # fmt: skip


class Estate:
    def __init__(self, path: Path) -> None:
        self.store, self.now = SqliteStore(path), START + 1000

    def tell(self, *hosts: Any, target: str = "10.0.0.0/24") -> None:
        ingest(self.store, report(f"r{target}", START, hosts, target=target), Caller("a", "admin"), START)

    def bring(self, told: str, text: str = BILL, *, dry_run: bool = False, name: str = "bill") -> Outcome:
        self.now += 1000
        asked = Import(name, "cyclonedx", text, complete=True, host=told)
        *_, outcome = bring(self.store, asked, "ann", classes(), self.now, dry_run=dry_run)
        assert isinstance(outcome, Outcome)
        return outcome

    def ids(self, name: str) -> list[str]:
        return [row[0] for row in self.store.read(lambda tx: tx.find(tables.CI, ("name",), [(name,)]))]

    def installed(self, ci: str) -> list[str]:
        shown = inventory.show(self.store, ANN, ci, now_ms=self.now)
        return [view.other_name for view in shown.relations if view.type == "installs"]


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    made = Estate(tmp_path / "cmdb.db")
    made.tell(
        host("web-1", "10.0.0.1", serial="SN12345678", mac="3c:ec:ef:11:22:33", listens=[80], os_name="Debian"),
        host("web-2", "10.0.0.2", serial="SN22345678"),
    )
    yield made
    made.store.close()


@pytest.mark.parametrize("told", ["web-1", "serial=SN12345678", "mac=3C-EC-EF-11-22-33", "id"])
def test_however_it_is_named_it_is_that_ci(estate: Estate, told: str) -> None:
    [web] = estate.ids("web-1")
    for _ in range(2):
        outcome = estate.bring(web if told == "id" else told)
        assert outcome.faults == () and outcome.applied
        assert estate.ids("web-1") == [web]
        assert estate.installed(web) == ["core"]
    shown = inventory.show(estate.store, ANN, web, now_ms=estate.now)
    assert {source.source for source in shown.sources} == {"ssh", "import:bill"}
    assert shown.summary.attributes["os_name"] == "Debian"
    decided = estate.store.read(lambda tx: tx.scan(tables.DECISION, None, 10))
    assert len(decided) == 1, "that the import is about this CI is decided once"


def test_what_the_bill_says_of_a_component_is_said_of_the_package(estate: Estate) -> None:
    estate.bring("web-1")
    [core] = estate.ids("core")
    told = inventory.show(estate.store, ANN, core, now_ms=estate.now).summary.attributes
    assert told == {
        "name": "core", "version": "2.1", "vendor": "Example", "purl": "pkg:maven/org.example/core@2.1?arch=amd64",
        "host.arch": "amd64", "package_type": "maven", "tag_id": "t-1", "homepage": "https://core.example",
    }  # fmt: skip


def test_an_application_has_its_own_software(estate: Estate) -> None:
    [app] = [row[0] for row in estate.store.read(lambda tx: tx.find(tables.CI, ("class",), [("web_server",)]))]
    assert estate.bring(app).faults == ()
    assert estate.installed(app) == ["core"]
    assert estate.installed(estate.ids("web-1")[0]) == []


def test_of_several_none_is_chosen(estate: Estate) -> None:
    estate.tell(host("web-1", "10.1.0.1", serial="SN32345678", mac="3c:ec:ef:11:22:44"), target="10.1.0.0/24")
    both = estate.ids("web-1")
    assert len(both) == 2
    outcome = estate.bring("web-1")
    [fault] = outcome.faults
    assert (fault.row, fault.column, outcome.applied) == (0, "host", False)
    assert all(f"server web-1 {id_}" in fault.message for id_ in both)
    assert estate.bring(both[1]).applied
    assert (estate.installed(both[0]), estate.installed(both[1])) == ([], ["core"])


def test_what_nothing_is_found_by_is_a_fault_but_for_a_name(estate: Estate) -> None:
    [fault] = estate.bring("serial=SN99999999").faults
    assert "no CI" in fault.message and fault.column == "host"
    [fault] = estate.bring("").faults
    assert "'shop'" in fault.message
    assert estate.bring("new-1", dry_run=True).faults == () and estate.ids("new-1") == []
    assert estate.bring("new-1").applied
    assert estate.installed(estate.ids("new-1")[0]) == ["core"]


def test_the_subject_is_told_with_the_thing_it_is_part_of(estate: Estate) -> None:
    [app] = [row[0] for row in estate.store.read(lambda tx: tx.find(tables.CI, ("class",), [("web_server",)]))]
    [web] = estate.ids("web-1")
    assert estate.store.read(lambda tx: subject(tx, app, classes())) == Subject(
        web, (("server", "web-1"), ("web_server", "app"))
    )  # fmt: skip
    assert estate.store.read(lambda tx: subject(tx, "nobody", classes())) is None
    assert isinstance(estate.store.read(lambda tx: subject(tx, "mac=none", classes())), Fault)
