"""Imports through the product's own ingest: the same file again, changed rows, absent rows, and files of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers import export, inventory
from cmdb_server.answers.inventory import Filters
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.views import CiSummary
from cmdb_server.errors import Invalid
from cmdb_server.ingest import cluster
from cmdb_server.ingest.batch import Batch
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.ingest.search import Search
from cmdb_server.model import attachment
from cmdb_server.model.likeness import Likeness
from cmdb_server.practices.imports import bring as module
from cmdb_server.practices.imports.bring import Import, Outcome, Progress, bring
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report

CASES = Path(__file__).parents[3] / "cases/imports"
ANN = Viewer("ann", "reader", classes())
TABLE = """class,name,serial_number,os_name,located_in,parent,depends_on
server,web-1,SN12345,Debian,site:Oslo,,server:web-2
site,Oslo,,,,,
web_server,nginx,,,,server:web-1,
server,web-2,SN12346,Rocky,,,
"""


class Estate:
    def __init__(self, path: Path) -> None:
        self.store, self.now = SqliteStore(path), START

    def bring(self, text: str, format_: str = "csv", *, dry_run: bool = False, **more: Any) -> Outcome:
        self.now += 1000
        asked = Import(**{"name": "old-cmdb", "format": format_, "text": text, "complete": True, **more})
        *_, outcome = bring(self.store, asked, "ann", classes(), self.now, dry_run=dry_run)
        assert isinstance(outcome, Outcome)
        return outcome

    def cis(self, class_: str) -> dict[str, CiSummary]:
        page = inventory.list_cis(self.store, ANN, Filters(class_), limit=1000, now_ms=self.now)
        return {item.name: item for item in page.items}


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    made = Estate(tmp_path / "cmdb.db")
    yield made
    made.store.close()


def figures(outcome: Outcome) -> tuple[int, int, int, int]:
    return outcome.new, outcome.changed, outcome.unchanged, outcome.ended


def test_a_preview_tells_what_the_import_then_does(estate: Estate) -> None:
    preview = estate.bring(TABLE, dry_run=True)
    assert figures(preview) == (3, 0, 0, 0) and not preview.applied and estate.cis("server") == {}
    assert figures(estate.bring(TABLE)) == (3, 0, 0, 0)
    assert set(estate.cis("server")) == {"web-1", "web-2"} and set(estate.cis("web_server")) == {"nginx"}
    assert figures(estate.bring(TABLE)) == (0, 0, 3, 0)
    changed = TABLE.replace("Rocky", "AIX")
    assert figures(estate.bring(changed)) == (0, 1, 2, 0)
    assert estate.cis("server")["web-2"].attributes["os_name"] == "AIX"


def test_absent_rows_end_when_the_import_is_complete(estate: Estate) -> None:
    estate.bring(TABLE)
    shorter = TABLE.replace("server,web-2,SN12346,Rocky,,,\n", "").replace("server:web-2", "")
    assert figures(estate.bring(shorter, complete=False)) == (0, 1, 1, 0)
    assert estate.cis("server")["web-2"].stage == "current"
    assert figures(estate.bring(shorter)) == (0, 0, 2, 1)
    assert estate.cis("server")["web-2"].stage == "missing"


def test_faults_keep_everything_out(estate: Estate) -> None:
    outcome = estate.bring(TABLE + "servr,x,,,,,\n")
    assert [(fault.row, fault.column) for fault in outcome.faults] == [(6, "class")]
    assert not outcome.applied and estate.store.revision() == 0
    assert not estate.bring("[]", "json").applied
    for wrong in ({"name": "No!"}, {"format_": "xls"}):
        with pytest.raises(Invalid):
            estate.bring(TABLE, **wrong)


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        ("class,name,ip_addresses\nserver,a,10.0.0.1\nserver,b,10.0.0.2; not-an-ip\n", "csv"),
        ('{"class": "server", "name": "a"}\n{"class": "server", "name": "b", "attributes": {"ip_addresses": ["not-an-ip"]}}', "json"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_its_row_column_and_value(estate: Estate, text: str, format_: str) -> None:
    outcome = estate.bring(text, format_)
    (fault,) = outcome.faults
    assert fault.column == "ip_addresses" and "'not-an-ip'" in fault.message and not outcome.applied
    assert fault.row == (3 if format_ == "csv" else 2)


def test_addresses_are_kept_in_one_spelling(estate: Estate) -> None:
    estate.bring("class,name,ip_address,mac_address\nserver,a,2001:DB8:0::7,00-1B-21-3C-9D-00\n")
    told = estate.cis("server")["a"].attributes
    assert (told["ip_address"], told["mac_address"]) == ("2001:db8::7", "00:1b:21:3c:9d:00")


def test_relations_and_what_was_discovered_meet(estate: Estate) -> None:
    ingest(
        estate.store, report("r1", START, [host("web-1", "10.0.0.1", serial="SN12345")]), Caller("a", "admin"), START
    )
    estate.bring(TABLE)
    assert set(estate.cis("server")) == {"web-1", "web-2"}, "the same serial number is the same server"
    web = inventory.show(estate.store, ANN, estate.cis("server")["web-1"].id, now_ms=estate.now)
    assert {(view.label, view.other_name) for view in web.relations} >= {
        ("located_in", "Oslo"), ("depends_on", "web-2"), ("runs", "nginx"),
    }  # fmt: skip
    assert {source.source for source in web.sources} == {"ssh", "import:old-cmdb"}


def test_what_was_exported_can_be_imported(estate: Estate, tmp_path: Path) -> None:
    estate.bring(TABLE)
    for format_, reader in (("csv", "csv"), ("jsonl", "json")):
        selection = export.Selection(estate.store, ANN, None, estate.now)
        text = b"".join(export.export(selection, format_)).decode()
        other = Estate(tmp_path / f"{format_}.db")
        outcome = other.bring(text, reader)
        assert outcome.faults == () and set(other.cis("server")) == {"web-1", "web-2"}
        assert other.cis("server")["web-1"].attributes == estate.cis("server")["web-1"].attributes
        other.store.close()


@pytest.mark.parametrize("file", ["netbox.json", "ansible.txt", "cyclonedx.json"])
def test_files_of_others(estate: Estate, file: str) -> None:
    text = (CASES / file).read_text(encoding="utf-8").replace('"id": 103, "device"', '"id": 103, "name": "x", "device"')
    outcome = estate.bring(text, file.partition(".")[0], host="web-1")
    assert outcome.faults == () and outcome.applied
    again = estate.bring(text, file.partition(".")[0], host="web-1")
    assert again.new == again.changed == again.ended == 0
    if file == "netbox.json":
        port = inventory.show(estate.store, ANN, estate.cis("network_interface")["Gi1/0/1"].id, now_ms=estate.now)
        assert ("connects_to", "eth0") in {(view.label, view.other_name) for view in port.relations}
    if file == "cyclonedx.json":
        jinja = inventory.show(estate.store, ANN, estate.cis("software_package")["Jinja2"].id, now_ms=estate.now)
        assert {(view.label, view.other_name) for view in jinja.relations} == {("installed_on", "web-1")}


def test_progress_is_told(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP", 2)
    asked = Import("old-cmdb", "csv", TABLE)
    told = list(bring(estate.store, asked, "ann", classes(), START, dry_run=False))
    assert told[:-1] == [
        Progress("reading", 2), Progress("reading", 4), Progress("checking", 4), Progress("applying", 3),
    ]  # fmt: skip


def test_faults_may_be_left_out_with_what_has_them(estate: Estate) -> None:
    wrong = "servr,x,,,,,\nweb_server,y,,,,server:nowhere,\nserver,web-1,SN9,,,,\n"
    asked = {"complete": False, "skip_faults": True}
    preview = estate.bring(TABLE + wrong, dry_run=True, **asked)
    outcome = estate.bring(TABLE + wrong, **asked)
    assert figures(preview) == figures(outcome) == (3, 0, 0, 0) and outcome.applied
    assert [fault.row for fault in outcome.faults] == [6, 7, 8]
    assert set(estate.cis("server")) == {"web-1", "web-2"}
    assert estate.cis("server")["web-1"].attributes["serial_number"] == "SN12345"
    assert not estate.bring("class,name\nservr,x\n", **asked).applied, "nothing is left"
    with pytest.raises(Invalid, match="skip_faults"):
        estate.bring(TABLE, skip_faults=True)


def test_what_an_export_lists_beside_can_be_imported(estate: Estate, tmp_path: Path) -> None:
    """Software packages come to be by being named, and an export of everything has rows of them."""
    bom = (CASES / "cyclonedx.json").read_text(encoding="utf-8")
    assert estate.bring(bom, "cyclonedx", host="web-1").applied
    text = b"".join(export.export(export.Selection(estate.store, ANN, None, estate.now), "jsonl")).decode()
    assert '"software_package"' in text
    other = Estate(tmp_path / "other.db")
    outcome = other.bring(text, "json")
    assert outcome.faults == () and set(other.cis("computer")) == {"web-1"}
    other.store.close()


def test_a_second_source_of_the_same_things_looks_at_each_once(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is still to be written is looked up by record: looked through for each thing, an import would take the
    square of its size."""
    rows = "".join(f"server,h-{n},SERIAL{n:05}\n" for n in range(200))
    text, looked = "class,name,serial_number\n" + rows, [0]
    said = Batch.said

    def counted(self: Batch, records: Iterable[str], attribute: str | None = None) -> Iterator[Any]:
        for row in said(self, records, attribute):
            looked[0] += 1
            yield row

    monkeypatch.setattr(Batch, "said", counted)
    estate.bring(text)
    estate.bring(text, name="other")
    assert len(estate.cis("server")) == 200
    assert looked[0] < 2000


def test_many_rows_of_one_name_are_not_held_against_each_other(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has a name alone is nobody's twin by evidence: to compare all pairs would take the square of their number."""
    compared = [0]

    def counted(told: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            compared[0] += 1
            return told(*args)

        return call

    monkeypatch.setattr(Likeness, "points", counted(Likeness.points))
    monkeypatch.setattr(cluster, "_may_yet_meet", counted(cluster._may_yet_meet))
    monkeypatch.setattr(attachment, "_disagree", counted(attachment._disagree))
    monkeypatch.setattr(Search, "_root", counted(Search._root))
    count = 200
    rows = "".join(f"server,unknown.example.com,k{number}\n" for number in range(count))
    assert estate.bring("class,name,key\n" + rows).new == count
    assert len(estate.cis("server")) == 1 and compared[0] < 20 * count
    names = inventory.list_cis(estate.store, ANN, Filters("server"), limit=1000, now_ms=estate.now).items
    assert len(names) == count, "what one source tells twice is two things"
