"""A dry run tells what the real one then does, and leaves no trace."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.errors import Invalid
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.ingest.rehearsal import Rehearsal, rehearse
from cmdb_server.store import tables
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.port import Store
from tests.factories import START, host, report

AGENT = Caller("agent-1", "admin")
COMPLETE = {"host": "complete"}


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


def body(id_: str, at: int, *hosts: Any, **told: Any) -> bytes:
    return report(id_, START + at, hosts, coverage=COMPLETE, **told)


def tried(store: Store, told: bytes, at: int) -> Rehearsal:
    return rehearse(store, told, AGENT, START + at + 1)


def servers(told: Rehearsal) -> dict[tuple[str, str], Any]:
    return {(one.change, one.name): one.values for one in told.cis if one.class_ == "server"}


def test_nothing_is_stored(store: Store) -> None:
    ingest(store, body("r0", 0, host("web", "10.0.0.1")), AGENT, START + 1)
    before, revision = store.read(graph_digest), store.revision()
    told = tried(store, body("r1", 10, host("db", "10.0.0.2")), 10)
    assert told.revision == revision and told.cis
    assert (store.read(graph_digest), store.revision()) == (before, revision)
    assert not store.read(lambda tx: tx.find(tables.REPORT, ("id",), [("r1",)]))


def test_created_changed_and_ended(store: Store) -> None:
    web, db = host("web", "10.0.0.1", os_name="a"), host("db", "10.0.0.2")
    ingest(store, body("r0", 0, web, db), AGENT, START + 1)
    told = tried(store, body("r1", 10, host("web", "10.0.0.1", os_name="b"), host("new", "10.0.0.3")), 10)
    found = servers(told)
    assert set(found) == {("change", "web"), ("create", "new"), ("end", "db")}
    assert found[("change", "web")] == {"os_name": ("a", "b")}
    assert found[("end", "db")] == {}


def test_what_is_told_is_what_the_feed_then_says(store: Store) -> None:
    ingest(store, body("r0", 0, host("web", "10.0.0.1"), host("db", "10.0.0.2")), AGENT, START + 1)
    uses = host("web", "10.0.0.1", listens=[80], uses=[("10.0.0.2", 5432)], packages=["pkg:deb/nginx@1"])
    second = body("r1", 10, uses, host("db", "10.0.0.2", listens=[5432]))
    told = tried(store, second, 10)
    ack = ingest(store, second, AGENT, START + 11)
    fed = {row[2] for row in store.read(lambda tx: tx.find(tables.FEED, ("revision",), [(ack.revision,)]))}
    assert {one.id for one in told.cis} <= fed
    assert {f"{one.from_ci} {one.type} {one.to_ci}" for one in told.relations} <= fed
    assert {one.change for one in told.relations} == {"create"}
    again = tried(store, body("r2", 20, uses, host("db", "10.0.0.2", listens=[5432])), 20)
    assert again.unchanged and (again.cis, again.relations) == ((), ())


def test_a_merge_names_what_is_left(store: Store) -> None:
    one = host("a", "10.0.0.1", identifiers={"serial": ["SN1"]})
    other = host("b", "10.0.0.2", identifiers={"mac": ["3c:ec:ef:00:00:02"]})
    ingest(store, report("r0", START, [one], target="10.0.0.1"), AGENT, START + 1)
    ingest(store, report("r1", START + 5, [other], target="10.0.0.2"), AGENT, START + 6)
    both = host("a", "10.0.0.3", identifiers={"serial": ["SN1"], "mac": ["3c:ec:ef:00:00:02"]})
    told = tried(store, report("r2", START + 10, [both], target="10.0.0.3"), 10)
    (merged,) = [found for found in told.cis if found.change == "merge" and found.class_ == "server"]
    ingest(store, report("r2", START + 10, [both], target="10.0.0.3"), AGENT, START + 11)
    (left,) = store.read(lambda tx: tx.find(tables.CI, ("class",), [("server",)]))
    assert merged.into == left[0] != merged.id


def test_a_refused_report_is_refused_alike(store: Store) -> None:
    with pytest.raises(Invalid):
        tried(store, report("r0", START, [], part=3, parts=2), 0)


def test_a_repeat_is_a_repeat(store: Store) -> None:
    first = body("r0", 0, host("web", "10.0.0.1"))
    ingest(store, first, AGENT, START + 1)
    assert tried(store, first, 10).duplicate
    with pytest.raises(Invalid):
        tried(store, body("r0", 0, host("db", "10.0.0.2")), 10)
