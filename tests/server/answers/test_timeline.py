"""The past of one CI: complete, told with its causes, and as dear as its own history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.answers.past_state import past_of
from cmdb_server.answers.timeline import Entry, timeline
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import NotFound
from cmdb_server.ingest import declare
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.decisions import decide, undo
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store import tables
from cmdb_server.store.port import Reading
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report

AGENT, VIEWER = Caller("agent-1", "admin"), Viewer("ann", "admin")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "cmdb.db")
    yield opened
    opened.close()


def take(store: SqliteStore, id_: str, at: int, *hosts: Any, **told: Any) -> None:
    ingest(store, report(id_, START + at, hosts, **told), AGENT, START + at + 5)


def ci(store: SqliteStore, name: str) -> str:
    return str(store.read(lambda tx: tx.find(tables.CI, ("class", "name"), [("server", name)]))[0][0])


def entries(store: SqliteStore, ci: str, *kinds: str) -> list[Entry]:
    return list(timeline(store, ci, kinds, limit=1000).entries)


def test_attributes_with_what_they_were_and_both_times(store: SqliteStore) -> None:
    take(store, "r1", 0, host("web", "10.0.0.1", os_name="Debian 11"))
    take(store, "r2", 1000, host("web", "10.0.0.1", os_name="Debian 12"))
    told = [one for one in entries(store, ci(store, "web"), "attribute") if one.name == "os_name"]
    assert [(one.value, one.before, one.at) for one in told] == [
        ("Debian 12", "Debian 11", START + 1000),
        ("Debian 11", None, START),
    ]
    cause = told[0].cause
    assert cause is not None
    assert (cause.source, cause.agent, cause.report, cause.recorded_at) == ("ssh", "agent-1", "r2", START + 1005)


def test_presence(store: SqliteStore) -> None:
    web, db = host("web", "10.0.0.1"), host("db", "10.0.0.2")
    take(store, "r1", 0, web, db, coverage={"x": "complete"})
    take(store, "r2", 1000, db, coverage={"x": "complete"})
    take(store, "r3", 2000, web, db, coverage={"x": "complete"})
    assert [one.name for one in entries(store, ci(store, "web"), "presence")] == ["seen", "gone", "seen"]


def test_a_merge_is_told_by_both_sides_with_who_and_why(store: SqliteStore) -> None:
    take(store, "r1", 0, host("a", "10.0.0.1"), host("b", "10.0.0.2"))
    one, other = ci(store, "a"), ci(store, "b")
    merge = decide(store, "ann", "merge", {"sides": [[one], [other]]}, "one box", START + 50)
    kept = timeline(store, one).ci
    joined = [e for e in entries(store, kept, "membership") if e.before is not None]
    assert [(e.name, e.value) for e in joined] == [("joined", kept)]
    assert joined[0].cause is not None
    assert (joined[0].cause.subject, joined[0].cause.reason) == ("ann", "one box")
    undo(store, "bob", merge, "two", START + 60)
    assert [e.name for e in entries(store, kept, "membership")] == ["left", "joined", "joined"]
    assert [(e.name, e.cause.subject) for e in entries(store, kept, "decision") if e.cause] == [
        ("undo", "bob"),
        ("merge", "ann"),
    ]


def test_a_distrusted_value_stands_in_the_past_of_who_bears_it(store: SqliteStore) -> None:
    take(store, "r1", 0, host("a", "10.0.0.1", mac="3c:ec:ef:00:00:01"), host("b", "10.0.0.2"))
    decide(store, "ann", "distrust", {"value": ["mac", "3c:ec:ef:00:00:01"]}, "a dock", START + 50)
    assert [one.name for one in entries(store, ci(store, "a"), "decision")] == ["distrust"]
    assert entries(store, ci(store, "b"), "decision") == []


def test_a_persons_entry_names_the_person(store: SqliteStore) -> None:
    made = declare.create(store, "ann", "server", {"name": "web"}, now_ms=START)
    told = entries(store, made.ci, "attribute")
    assert {(one.cause.subject, one.cause.agent) for one in told if one.cause} == {("ann", "")}


def test_relations_come_and_go(store: SqliteStore) -> None:
    take(store, "r1", 0, host("web", "10.0.0.1", packages=["pkg:deb/nginx@1"]))
    take(store, "r2", 1000, host("web", "10.0.0.1"), coverage={"host": "complete"})
    told = entries(store, ci(store, "web"), "relation")
    assert [(one.name, one.value is None, one.before is None) for one in told] == [
        ("installs", True, False),
        ("installs", False, True),
    ]


def test_pages_join_without_gap_or_repeat(store: SqliteStore) -> None:
    for n in range(5):
        take(store, f"r{n}", n * 1000, host("web", "10.0.0.1", os_name=f"os {n}"))
    id_ = ci(store, "web")
    whole = entries(store, id_)
    found: list[Entry] = []
    cursor = None
    while True:
        page = timeline(store, id_, cursor=cursor, limit=3)
        found += page.entries
        cursor = page.cursor
        if cursor is None:
            break
    assert found == whole and len(whole) > 6


def test_an_unknown_ci(store: SqliteStore) -> None:
    with pytest.raises(NotFound):
        timeline(store, "nothing")


class Counting:
    """A reading that counts the rows it gives; it can only be asked for what is named, never for a whole table but
    the decisions'."""

    def __init__(self, inner: Reading) -> None:
        self.inner, self.rows, self.revision = inner, 0, inner.revision

    def get(self, *asked: Any) -> Any:
        found = self.inner.get(*asked)
        self.rows += len(found)
        return found

    def find(self, *asked: Any) -> Any:
        found = self.inner.find(*asked)
        self.rows += len(found)
        return found

    def scan(self, table: Any, *asked: Any) -> Any:
        assert table is tables.DECISION
        return self.inner.scan(table, *asked)


def test_the_cost_is_that_of_the_cis_own_past(store: SqliteStore) -> None:
    def rows() -> int:
        def work(tx: Reading) -> int:
            counting = Counting(tx)
            held = type("Held", (), {"read": staticmethod(lambda inner: inner(counting))})
            timeline(held, id_)  # type: ignore[arg-type]
            return counting.rows

        return store.read(work)

    take(store, "r1", 0, host("web", "10.0.0.1"), target="10.0.0.1")
    id_ = ci(store, "web")
    few = rows()
    take(store, "r2", 10, *(host(f"h{n}", f"10.0.1.{n}") for n in range(1, 200)), target="10.0.1.0/24")
    assert rows() == few > 3


def test_of_a_past_time_what_had_happened_until_then(store: SqliteStore) -> None:
    take(store, "r1", 0, host("a", "10.0.0.1", os_name="1"), host("b", "10.0.0.2"))
    take(store, "r2", 1000, host("a", "10.0.0.1", os_name="2"), host("b", "10.0.0.2"))
    one, other = ci(store, "a"), ci(store, "b")
    before = [entries(store, id_) for id_ in (one, other)]
    decide(store, "ann", "merge", {"sides": [[one], [other]]}, "one box", START + 2000)
    take(store, "r3", 3000, host("a", "10.0.0.1", os_name="3"))

    def as_of(id_: str, at: int | None, known_at: int | None) -> list[Entry]:
        def then(tx: Reading) -> Reading:
            return past_of(tx, VIEWER, at, known_at, START + 9000).tx

        return list(timeline(store, id_, limit=1000, then=then).entries)

    assert [as_of(id_, START + 1005, START + 1005) for id_ in (one, other)] == before
    values = [told.value for told in as_of(one, START + 500, None) if told.name == "os_name"]
    assert values == ["1"]
    assert as_of(one, None, None) == entries(store, one)
