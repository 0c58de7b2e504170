"""Exports are read back by other programs' readers: csv, JSON, networkx."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.answers import export as module
from cmdb_server.answers.export import Selection, export
from cmdb_server.answers.selected import selected
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report

EVIL = '=HYPERLINK("http://evil")\x01<&>'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "cmdb.db")
    hosts = [
        host("web-1", "10.0.0.1", listens=[80], uses=[("10.0.0.2", 5432)], os_name=EVIL, cpu_count=4, is_virtual=True),
        host("db-1", "10.0.0.2", listens=[5432], os_name="Debian", labels=["a", "b"]),
    ]
    ingest(opened, report("r1", START, hosts), Caller("agent-1", "admin"), START)
    yield opened
    opened.close()


def told(store: SqliteStore, format_: str, text: str | None = None, at: int | None = None) -> str:
    projections = Projections(store, Rules.of(relation_types(), classes()), lambda: START)
    chosen = None if text is None else selected(text, projections, classes())
    selection = Selection(store, Viewer("ann", "reader", classes()), chosen, START, at)
    return b"".join(export(selection, format_)).decode()


def test_csv_has_a_column_for_every_attribute_there_is(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 1)
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(told(store, "csv", 'isa("computer")')))}
    assert set(rows) == {"web-1", "db-1"}
    assert rows["web-1"]["os_name"] == f"'{EVIL}"
    assert rows["web-1"]["cpu_count"] == "4" and rows["web-1"]["is_virtual"] == "true"
    assert json.loads(rows["db-1"]["labels"]) == ["a", "b"] and rows["db-1"]["cpu_count"] == ""
    assert "product" not in rows["db-1"], "only what the selected have"


def test_json_lines_have_relations(store: SqliteStore) -> None:
    lines = [json.loads(line) for line in told(store, "jsonl").splitlines()]
    by_id = {line["id"]: line for line in lines}
    web = next(line for line in lines if line["class"] == "web_server" and line["relations"][-1]["type"] == "runs_on"
               and by_id[line["relations"][-1]["to"]]["name"] == "web-1")  # fmt: skip
    assert {(one["type"], by_id[one["to"]]["class"]) for one in web["relations"]} == {
        ("runs_on", "server"), ("depends_on", "web_server"),
    }  # fmt: skip
    assert web["life"] == "current" and web["first_discovered"].startswith("2023-11-14T22:13:20.000Z")


def test_graphml_holds_the_graph_among_the_selected(store: SqliteStore) -> None:
    whole = nx.read_graphml(io.BytesIO(told(store, "graphml").encode()))
    types = sorted(data["type"] for _, _, data in whole.edges(data=True))
    assert types == ["contains", "contains", "depends_on", "runs_on", "runs_on"]
    hosts = nx.read_graphml(io.BytesIO(told(store, "graphml", 'class == "server"').encode()))
    assert sorted(data["name"] for _, data in hosts.nodes(data=True)) == ["db-1", "web-1"]
    assert not hosts.edges
    evil = next(data for _, data in hosts.nodes(data=True) if data["name"] == "web-1")
    assert evil["os_name"] == EVIL.replace("\x01", "\ufffd")
    assert evil["cpu_count"] == 4 and evil["is_virtual"] is True


def test_as_of_a_time(store: SqliteStore) -> None:
    ingest(
        store,
        report("r2", START + 1000, [host("web-1", "10.0.0.1", os_name="AIX")]),
        Caller("a", "admin"),
        START + 1000,
    )
    assert "AIX" in told(store, "csv") and "AIX" not in told(store, "csv", at=START + 500)
    graph = nx.read_graphml(io.BytesIO(told(store, "graphml", at=START + 500).encode()))
    assert len(graph.edges) == 5
