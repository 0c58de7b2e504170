"""The health of the CMDB: each check finds what it is for and nothing else, and every figure is its list's length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.health import CHECKS, Finding, expectations, expected, findings, health
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest import declare
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report

AGENT, VIEWER = Caller("agent-1", "admin"), Viewer("ann", "reader")
DAY = 86_400_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "cmdb.db")
    yield opened
    opened.close()


def take(store: SqliteStore, *hosts: Any, id_: str = "r1", **told: Any) -> None:
    ingest(store, report(id_, START, hosts, **told), AGENT, START)


def found(store: SqliteStore, check: str, now: int = START, **asked: Any) -> list[Finding]:
    return list(findings(store, VIEWER, check, limit=1000, now_ms=now, **asked).items)


def failing(store: SqliteStore, check: str, now: int = START) -> set[tuple[str, str]]:
    return {(one.name, one.detail) for one in found(store, check, now) if one.class_ == "server"}


def test_expectations_name_classes_and_attributes_that_exist() -> None:
    for name, told in expectations().items():
        assert all(classes()[name].attribute(attribute) for attribute in told.get("attributes", ()))
    server = expected(classes()["server"])
    assert server.responsible and {"name", "serial_number", "os_name"} <= set(server.attributes)


def test_what_is_missing(store: SqliteStore) -> None:
    take(store, host("web", "10.0.0.1", os_name="Debian", serial_number="SN1"))
    told = {detail for _, detail in failing(store, "missing-attribute")}
    assert "os_version" in told and not told & {"os_name", "serial_number", "name"}


def test_who_is_responsible(store: SqliteStore) -> None:
    take(store, host("web", "10.0.0.1"), host("db", "10.0.0.2"))
    ann = declare.create(store, "ann", "person", {"name": "Ann"}, now_ms=START)
    (web,) = [one.ci for one in found(store, "no-owner") if one.name == "web"]
    relation = declare.DeclaredRelation("owned_by", ann.ci)
    made = declare.create(store, "ann", "server", {"name": "web-9"}, [relation], now_ms=START)
    assert {name for name, _ in failing(store, "no-owner")} == {"web", "db"}
    assert {one.owner for one in found(store, "missing-attribute") if one.ci == made.ci} == {"Ann"}
    assert {one.owner for one in found(store, "missing-attribute") if one.ci == web} == {""}
    assert {one.name for one in found(store, "missing-attribute", owner="Ann")} == {"web-9"}


def test_duplicates(store: SqliteStore) -> None:
    take(store, host("web", "10.0.0.1", serial="A1", mac="3c:ec:ef:00:00:01"))
    other = host("web", "10.0.0.1", serial="B1", mac="3c:ec:ef:00:00:02")
    take(store, other, id_="r2", target="elsewhere", source="snmp")
    take(store, host("db", "10.0.0.3"), id_="r3", target="third")
    assert failing(store, "duplicate-name") == {("web", "web")}
    assert len([one for one in found(store, "duplicate-name") if one.class_ == "server"]) == 2
    assert failing(store, "duplicate-address") == {("web", "10.0.0.1")}


def test_orphans_and_open_ends(store: SqliteStore) -> None:
    take(store, host("web", "10.0.0.1", listens=[80], uses=[("10.9.9.9", 5432)]))
    declare.create(store, "ann", "server", {"name": "alone"}, now_ms=START)
    assert failing(store, "orphan") == {("alone", "")}
    assert {(one.class_, one.detail) for one in found(store, "never-scanned")} == {("web_server", "10.9.9.9")}
    (end,) = found(store, "unresolved-end")
    assert end.detail == "depends_on address:lab|10.9.9.9"


def test_what_was_only_seen(store: SqliteStore) -> None:
    take(store, host("?", "10.0.0.7", class_="unknown_device", identifiers={}, ip_address="10.0.0.7"))
    (one,) = found(store, "never-identified")
    assert one.detail == "10.0.0.7"


@pytest.mark.parametrize(("days", "check"), [(3, "ageing"), (8, "missing"), (200, "retired")])
def test_freshness(store: SqliteStore, days: int, check: str) -> None:
    take(store, host("web", "10.0.0.1"))
    now = START + days * DAY
    stages = {name: failing(store, name, now) for name in ("ageing", "missing", "retired")}
    assert stages == {name: {("web", "")} if name == check else set() for name in stages}
    assert bool(failing(store, "missing-attribute", now)) is (check != "retired")


def test_contradictions_are_the_open_tasks(store: SqliteStore) -> None:
    take(store, host("a", "10.0.0.1", serial="SAME", mac="3c:ec:ef:00:00:01"), host("b", "10.0.0.2", serial="SAME"))
    told = found(store, "contradiction")
    assert {one.name for one in told} == {"a", "b"} and len({one.detail for one in told}) == 1


def test_every_figure_is_its_lists_length(store: SqliteStore) -> None:
    take(store, host("web", "10.0.0.1", uses=[("10.9.9.9", 1)]), host("db", "10.0.0.2", serial="SNweb"))
    told = health(store, VIEWER, now_ms=START + 3 * DAY)
    assert {one.check for one in told.figures} == set(CHECKS)
    for one in told.figures:
        behind = found(store, one.check, START + 3 * DAY, class_=one.class_, owner=one.owner)
        assert len({finding.ci for finding in behind}) == one.failing <= one.of
    assert sum(one.failing for one in told.figures) > 3


def test_pages_join(store: SqliteStore) -> None:
    take(store, host("web", "10.0.0.1"), host("db", "10.0.0.2"))
    whole, joined, cursor = found(store, "missing-attribute"), [], None
    while True:
        page = findings(store, VIEWER, "missing-attribute", cursor=cursor, limit=3, now_ms=START)
        joined += page.items
        cursor = page.cursor
        if cursor is None:
            break
    assert joined == whole and len(whole) > 6
