"""The list of what waits for a person, each with its evidence and what an answer would change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.reviews import asked, deleted, effect, tasks
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.ingest.decisions import decide
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store import tables
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import CALLER, bodies, deliver
from tests.factories import START, host, report
from tests.observed import Scan
from tests.situations import BOX, DAY, OTHER, SOFTWARE, box, of, ssh

VIEWER = Viewer("anna", "operator")
LATER = START + 100 * DAY
BARE = of(BOX, "mac", *SOFTWARE, "name")
DOUBTFUL = [ssh(1, box("a", BARE)), ssh(3, box("b", {**BARE, **of(OTHER, "mac")}))]
SHARED = [ssh(1, box("a", BOX), box("b", of(OTHER, serial=BOX["serial"]), "10.0.0.2"))]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "cmdb.sqlite")
    yield opened
    opened.close()


def told(store: SqliteStore, scans: list[Scan]) -> SqliteStore:
    deliver(store, bodies(scans))
    return store


def test_a_review_shows_both_records_and_what_speaks_for_and_against(store: SqliteStore) -> None:
    (task,) = tasks(told(store, DOUBTFUL), VIEWER)
    assert (task.kind, len(task.cis)) == ("review", 2)
    found = asked(store, VIEWER, task.id)
    assert {tuple(sorted(side.identifiers["mac"])) for side in found.sides} == {
        tuple(sorted(BOX["mac"])), tuple(sorted(OTHER["mac"])),
    }  # fmt: skip
    assert {term.kind: term.points for term in found.evidence} == {
        "mac": -8, "machine_id": 8, "ssh_host_key": 8, "installation": -6, "name": 4,
    }  # fmt: skip
    assert found.score == sum(term.points for term in found.evidence)
    name = next(term for term in found.evidence if term.kind == "name")
    assert name.ours == name.theirs == ("web.example.net",)


def test_what_an_answer_would_change_is_told_and_not_done(store: SqliteStore) -> None:
    (task,) = tasks(told(store, DOUBTFUL), VIEWER)
    before = store.read(graph_digest)
    assert len(effect(store, VIEWER, task.id, LATER, accept=True).gone) == 1
    assert not effect(store, VIEWER, task.id, LATER, accept=False).moved
    assert store.read(graph_digest) == before
    assert tasks(store, VIEWER) == [task]


def test_a_distrusted_value_is_listed_with_those_who_share_it(store: SqliteStore) -> None:
    (task,) = tasks(told(store, SHARED), VIEWER, "distrusted")
    assert "serial" in task.title
    assert len(task.cis) == 2
    with pytest.raises(Invalid):
        effect(store, VIEWER, task.id, LATER, accept=False)
    assert not tasks(store, VIEWER, "review")


def test_a_tombstone_lists_what_was_seen_since(store: SqliteStore) -> None:
    def web(id_: str, at: int) -> bytes:
        return report(id_, START + at, [host("web", "10.0.0.1")], sent=START + at)

    ingest(store, web("r0", 0), CALLER, START)
    ci = next(row[0] for row in store.read(lambda tx: tx.scan(tables.CI, None, 9)) if row[2] == "web")
    decision = decide(store, "anna", "tombstone", {"sides": [[ci]], "hold_back": True}, "sold", START + 5)
    assert [one.sightings for one in deleted(store, VIEWER)] == [()]
    ingest(store, web("r1", 10), CALLER, START + 10)
    (one,) = deleted(store, VIEWER)
    assert (one.decision, one.ci, one.sightings) == (decision, ci, ((ci, "ssh", START + 10),))


def test_a_task_that_is_not_there_is_not_found(store: SqliteStore) -> None:
    with pytest.raises(NotFound):
        asked(store, VIEWER, "x")
    with pytest.raises(NotFound):
        effect(store, VIEWER, "x", LATER, accept=True)


def test_an_address_in_double_use_is_a_task_for_as_long_as_it_is(store: SqliteStore) -> None:
    a, b = host("a", "10.0.0.1"), host("b", "10.0.0.1", mac="3c:ec:ef:00:00:77")
    ingest(store, report("r1", START, [a]), CALLER, START)
    ingest(store, report("r2", START, [b], source="snmp"), CALLER, START)
    (task,) = tasks(store, VIEWER, "duplicate-address")
    assert (task.title, set(task.cis.values())) == (
        f"The address 10.0.0.1 is held by {' and '.join(task.cis.values())}",
        {"a", "b"},
    )
    found = asked(store, VIEWER, task.id)
    assert {side.source for side in found.sides} == {"ssh", "snmp"}
    assert found.score is None
    assert tasks(store, VIEWER) == [], "there is nothing to decide about it"
    ingest(store, report("r3", START + 1, [], source="snmp"), CALLER, START + 1)
    assert tasks(store, VIEWER, "duplicate-address") == []
    with pytest.raises(NotFound):
        asked(store, VIEWER, task.id)
