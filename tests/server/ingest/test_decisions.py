"""What people decide about identity and values, through the store: applied at once, undone without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.errors import Conflict, Invalid, NotFound
from cmdb_server.ingest.decisions import answer, decide, effect, undo
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store import tables
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.port import Row
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import CALLER, bodies, deliver, outcome, recorded, sighted
from tests.factories import START, host, report
from tests.observed import Scan
from tests.situations import BOX, DAY, OTHER, SOFTWARE, box, of, snmp, ssh

LATER = START + 100 * DAY
BARE = of(BOX, "mac", *SOFTWARE, "name")
TWO = [ssh(1, box("a", BOX), box("b", OTHER, "10.0.0.2")), ssh(2, box("c", BOX, "10.0.0.3"), scope="other")]
DOUBTFUL = [ssh(1, box("a", BARE)), ssh(3, box("b", {**BARE, **of(OTHER, "mac")}))]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "cmdb.sqlite")
    yield opened
    opened.close()


def take(store: SqliteStore, scans: list[Scan]) -> dict[str, str]:
    deliver(store, bodies(scans))
    return sighted(store, bodies(scans), scans)


def where(store: SqliteStore, scans: list[Scan]) -> set[str]:
    groups: dict[str, str] = {}
    for sighting, ci in sorted(sighted(store, bodies(scans), scans).items()):
        groups[ci] = groups.get(ci, "") + sighting
    return set(groups.values())


def row(store: SqliteStore, ci: str) -> Row:
    return store.read(lambda tx: tx.get(tables.CI, [(ci,)]))[(ci,)]


def open_tasks(store: SqliteStore) -> list[Row]:
    return store.read(lambda tx: tx.find(tables.TASK, ("state",), [("open",)]))


def test_a_merge_makes_one_of_two_and_undoing_it_two_again(store: SqliteStore) -> None:
    ci = take(store, TWO)
    before = store.read(graph_digest)
    merge = decide(store, "anna", "merge", {"sides": [[ci["a"]], [ci["b"]]]}, "one box in two cases", LATER)
    assert where(store, TWO) == {"abc"}
    undo(store, "anna", merge, "they are two after all", LATER + 1)
    assert where(store, TWO) == {"ac", "b"}
    assert store.read(graph_digest) == before


def test_an_undoing_can_be_undone_and_nothing_is_undone_twice(store: SqliteStore) -> None:
    ci = take(store, TWO)
    merge = decide(store, "anna", "merge", {"sides": [[ci["a"]], [ci["b"]]]}, "", LATER)
    undoing = undo(store, "anna", merge, "", LATER + 1)
    with pytest.raises(Conflict):
        undo(store, "anna", merge, "", LATER + 2)
    undo(store, "anna", undoing, "", LATER + 2)
    assert where(store, TWO) == {"abc"}


def test_a_split_separates_what_evidence_tied(store: SqliteStore) -> None:
    take(store, TWO)
    records = recorded(store, bodies(TWO), TWO)
    split = decide(store, "anna", "split", {"sides": [[records["a"]], [records["c"]]]}, "", LATER)
    assert where(store, TWO) == {"a", "b", "c"}
    undo(store, "anna", split, "", LATER + 1)
    assert where(store, TWO) == {"ac", "b"}


def test_a_distrusted_value_no_longer_ties_anything(store: SqliteStore) -> None:
    scans = [ssh(1, box("a", of(BOX, "serial", "name"))), snmp(2, box("b", of(BOX, "serial"), "10.0.0.2"))]
    take(store, scans)
    before = store.read(graph_digest)
    value = decide(store, "anna", "distrust", {"value": ["serial", BOX["serial"][0]]}, "a sticker", LATER)
    assert where(store, scans) == {"a", "b"}
    undo(store, "anna", value, "", LATER + 1)
    assert store.read(graph_digest) == before


def test_a_pin_holds_against_every_source_until_it_is_undone(store: SqliteStore) -> None:
    told = [report(f"r{n}", START + n, [host("web", "10.0.0.1", os_name=os)], sent=LATER) for n, os in enumerate("ab")]
    ingest(store, told[0], CALLER, LATER)
    (ci,) = set(store.read(outcome).ci_of.values())
    pin = decide(store, "anna", "pin", {"sides": [[ci]], "attribute": "os_name", "pinned": "mine"}, "", LATER)
    assert row(store, ci)[5]["os_name"] == "mine"
    ingest(store, told[1], CALLER, LATER)
    assert row(store, ci)[5]["os_name"] == "mine"
    undo(store, "anna", pin, "", LATER + 1)
    assert row(store, ci)[5]["os_name"] == "b"


ENDED = tables.CI.position("ended_at")


def hosts(at: int, id_: str) -> bytes:
    return report(id_, START + at, [host("web", "10.0.0.1"), host("db", "10.0.0.2")], sent=START + at)


@pytest.mark.parametrize("hold_back", [False, True])
def test_what_is_deleted_by_hand_is_hidden_until_it_is_seen_or_the_tombstone_undone(
    store: SqliteStore, *, hold_back: bool
) -> None:
    ingest(store, hosts(0, "r0"), CALLER, START)
    before = store.read(graph_digest)
    cis = store.read(lambda tx: tx.scan(tables.CI, None, 100))
    web = next(one for one in cis if one[2] == "web")[0]
    below = {one[0] for one in cis if one[3] == web}
    body = {"sides": [[web]], "hold_back": hold_back}
    tombstone = decide(store, "anna", "tombstone", body, "sold", START + 10)
    gone = {one[0] for one in store.read(lambda tx: tx.scan(tables.CI, None, 100)) if one[ENDED] is not None}
    assert gone == {web, *below}
    undone = undo(store, "anna", tombstone, "", START + 11)
    assert store.read(graph_digest) == before
    undo(store, "anna", undone, "", START + 12)
    assert row(store, web)[ENDED] == START + 10
    ingest(store, hosts(20, "r1"), CALLER, START + 20)  # the very same content
    assert (row(store, web)[ENDED] is not None) is hold_back
    assert all((row(store, part)[ENDED] is not None) is hold_back for part in below)


def test_the_effect_of_a_decision_is_told_without_making_it(store: SqliteStore) -> None:
    ci = take(store, TWO)
    before, revision = store.read(graph_digest), store.revision()
    found = effect(store, "merge", {"sides": [[ci["a"]], [ci["b"]]]}, LATER)
    (lost,) = found.gone
    (kept,) = {ci["a"], ci["b"]} - {lost}
    assert set(found.moved.values()) == {(lost, kept)}
    assert (store.read(graph_digest), store.revision()) == (before, revision)
    assert not store.read(lambda tx: tx.count(tables.DECISION))


@pytest.mark.parametrize(("accept", "groups"), [(True, {"ab"}), (False, {"a", "b"})])
def test_a_review_is_answered_by_a_merge_or_a_split_and_closes(
    store: SqliteStore, *, accept: bool, groups: set[str]
) -> None:
    take(store, DOUBTFUL)
    (task,) = open_tasks(store)
    said = answer(store, "anna", task[0], "seen with my eyes", LATER, accept=accept)
    assert where(store, DOUBTFUL) == groups
    assert not open_tasks(store)
    undo(store, "anna", said, "", LATER + 1)
    assert [one[:3] for one in open_tasks(store)] == [task[:3]]


def test_a_distrusted_value_is_accepted_for_good(store: SqliteStore) -> None:
    scans = [ssh(1, box("a", BOX), box("b", of(OTHER, serial=BOX["serial"]), "10.0.0.2"))]
    take(store, scans)
    (task,) = open_tasks(store)
    with pytest.raises(Invalid):
        answer(store, "anna", task[0], "", LATER, accept=False)
    answer(store, "anna", task[0], "", LATER, accept=True)
    assert not open_tasks(store)
    assert where(store, scans) == {"a", "b"}


@pytest.mark.parametrize(
    ("verb", "body", "fault"),
    [
        ("merge", {"sides": [["x"]]}, Invalid),
        ("merge", {"sides": [["x"], ["x"]]}, Invalid),
        ("merge", {"sides": [["x"], ["y"]]}, NotFound),
        ("split", {}, Invalid),
        ("distrust", {"value": ["serial"]}, Invalid),
        ("distrust", {"value": ["serail", "SN1"]}, Invalid),
        ("distrust", {"value": ["", "SN1"]}, Invalid),
        ("pin", {"sides": [["x"], ["y"]]}, Invalid),
        ("tombstone", {"sides": [["x"]]}, NotFound),
        ("burn", {}, Invalid),
    ],
)
def test_what_cannot_be_decided_is_refused_and_nothing_is_stored(
    store: SqliteStore, verb: str, body: dict[str, Any], fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        decide(store, "anna", verb, body, "", LATER)
    assert store.revision() == 0
