"""What befell a CI, as its timeline tells it: found from what the store holds, known since that was known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.timeline import Entry, timeline
from cmdb_server.ingest.decisions import answer, decide, undo
from cmdb_server.practices.retention import retain
from cmdb_server.settings import SAMPLE_DAYS
from cmdb_server.store import tables
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import bodies, deliver, recorded, sighted
from tests.factories import START
from tests.observed import Scan
from tests.situations import BOX, DAY, OTHER, SOFTWARE, box, of, snmp, ssh

REINSTALLED = [ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, *SOFTWARE)}))]
BARE = of(BOX, "mac", *SOFTWARE, "name")
DOUBTFUL = [ssh(1, box("a", BARE)), ssh(3, box("b", {**BARE, **of(OTHER, "mac")}))]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "cmdb.sqlite")
    yield opened
    opened.close()


def events(store: SqliteStore, scans: list[Scan], sighting: str) -> list[Entry]:
    ci = sighted(store, bodies(scans), scans)[sighting]
    return list(timeline(store, ci, ["event"]).entries)


def test_it_tells_the_evidence_and_the_report_that_showed_it(store: SqliteStore) -> None:
    deliver(store, bodies(REINSTALLED))
    (event,) = events(store, REINSTALLED, "a")
    assert (event.kind, event.name, event.at) == ("event", "reinstalled", START + 3 * DAY)
    assert event.record == recorded(store, bodies(REINSTALLED), REINSTALLED)["b"]
    assert {kind: sorted(values) for kind, values in event.value.items()} == {k: sorted(OTHER[k]) for k in SOFTWARE}
    assert {kind: sorted(values) for kind, values in event.before.items()} == {k: sorted(BOX[k]) for k in SOFTWARE}
    assert event.cause is not None and event.cause.report == "r1"


def test_it_is_known_since_a_late_report_told_how_things_had_been(store: SqliteStore) -> None:
    deliver(store, bodies(REINSTALLED)[::-1])
    (event,) = events(store, REINSTALLED, "a")
    assert (event.at, event.cause and event.cause.report) == (START + 3 * DAY, "r0")


def test_it_stays_known_since_then_when_more_is_told(store: SqliteStore) -> None:
    """An older report changes the CI's id, and not since when these two records are known to be one thing's."""
    older = [*REINSTALLED, snmp(0, box("z", of(BOX, "mac", "name"), "10.0.0.8"))]
    deliver(store, bodies(older))
    (event,) = events(store, older, "a")
    assert event.cause is not None and event.cause.report == "r1"


def test_it_is_known_by_whoever_decided_that_both_are_one(store: SqliteStore) -> None:
    deliver(store, bodies(DOUBTFUL))
    assert events(store, DOUBTFUL, "a") == events(store, DOUBTFUL, "b") == []
    ((task, *_),) = store.read(lambda tx: tx.find(tables.TASK, ("state",), [("open",)]))
    merge = answer(store, "anna", task, "I changed the board", START + 9 * DAY, accept=True)
    (event,) = events(store, DOUBTFUL, "a")
    assert (event.name, event.at) == ("mainboard-replaced", START + 3 * DAY)
    assert event.cause is not None
    assert (event.cause.subject, event.cause.reason, event.cause.decision) == ("anna", "I changed the board", merge)
    undo(store, "anna", merge, "no", START + 9 * DAY)
    assert events(store, DOUBTFUL, "a") == events(store, DOUBTFUL, "b") == []


def test_none_by_what_people_distrust(store: SqliteStore) -> None:
    deliver(store, bodies(REINSTALLED))
    for kind in SOFTWARE:
        for value in BOX[kind]:
            decide(store, "anna", "distrust", {"value": [kind, value]}, "an image's", START + 9 * DAY)
    assert events(store, REINSTALLED, "a") == []


def test_none_before_the_history_begins(store: SqliteStore) -> None:
    deliver(store, bodies(REINSTALLED))
    retain(store, classes(), START + 4 * DAY, SAMPLE_DAYS, "anna", now_ms=START + 50 * DAY, apply=True)
    assert events(store, REINSTALLED, "a") == []
