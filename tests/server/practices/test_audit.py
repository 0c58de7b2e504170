"""A deed and its line stand or fall together; lines are told newest first, page by page, narrowed by whom, what, to what
and when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cmdb_server.errors import Conflict
from cmdb_server.practices.audit import Act, Wanted, Witnessed, acts, append, complete
from cmdb_server.store.port import Store, Writing
from cmdb_server.store.rollback import rolled_back
from cmdb_server.store.tables import BASELINE

DONE = [
    (1, "eva", "decisions.decide", "d-1"), (2, "tom", "tokens.create", "t-1"), (3, "eva", "decisions.undo", "d-1"),
    (3, "eva", "cis.edit", "c-1"),
]  # fmt: skip


ACT = Act("a-1", 5, "eva", "admin", "baselines.make", "june", 0, {"name": "june"}, "r5")


def act(at: int, subject: str, action: str, thing: str, number: int) -> Act:
    return Act(f"a-{number}", at, subject, "admin", action, thing, 0, {"reason": "so"}, f"r{at}")


@pytest.fixture
def done(store: Store) -> Store:
    for number, (at, subject, action, thing) in enumerate(DONE):
        made = act(at, subject, action, thing, number)
        store.write(lambda tx, made=made: append(tx, made))
    return store


def make(tx: Writing) -> int:
    tx.put(BASELINE, [("june", 1, tx.revision, "eva", 1, "")])
    return tx.revision


def test_a_deed_has_its_line_in_its_own_transaction(store: Store) -> None:
    revision = Witnessed(store, lambda: ACT).write(make)
    assert acts(store, Wanted()).items == (replace(ACT, revision=revision),)
    assert store.revision() == revision


def test_what_fails_or_is_only_tried_has_neither(store: Store) -> None:
    def fails(tx: Writing) -> None:
        make(tx)
        raise Conflict("no")

    witnessed = Witnessed(store, lambda: ACT)
    with pytest.raises(Conflict):
        witnessed.write(fails)
    rolled_back(witnessed, make)
    complete(witnessed, ACT)
    assert acts(store, Wanted()).items == ()
    assert store.read(lambda tx: tx.count(BASELINE)) == 0


def test_where_the_line_cannot_be_written_nothing_is_done(store: Store) -> None:
    with pytest.raises(TypeError):
        Witnessed(store, lambda: replace(ACT, detail={"name": object()})).write(make)
    assert store.read(lambda tx: tx.count(BASELINE)) == 0


def test_a_deed_of_several_transactions_has_one_line_and_is_completed_by_its_answer(store: Store) -> None:
    witnessed = Witnessed(store, lambda: ACT)
    first = witnessed.write(make)
    witnessed.write(make)
    complete(witnessed, replace(ACT, thing="b-1", detail={"name": "june", "state": "kept"}))
    (line,) = acts(store, Wanted()).items
    assert (line.revision, line.thing, line.detail) == (first, "b-1", {"name": "june", "state": "kept"})


def test_what_nobody_does_leaves_no_line(store: Store) -> None:
    Witnessed(store, lambda: None).write(make)
    assert acts(store, Wanted()).items == ()


@pytest.mark.parametrize(
    ("wanted", "times"),
    [
        (Wanted(), [3, 3, 2, 1]), (Wanted(subject="eva"), [3, 3, 1]), (Wanted(action="decisions"), [3, 1]),
        (Wanted(action="decisions.undo"), [3]), (Wanted(thing="d-1"), [3, 1]), (Wanted(since=2), [3, 3, 2]),
        (Wanted(until=2), [2, 1]), (Wanted(since=2, until=2), [2]), (Wanted(subject="nobody"), []),
    ],
)  # fmt: skip
def test_filters(done: Store, wanted: Wanted, times: list[int]) -> None:
    assert [act.at for act in acts(done, wanted).items] == times


def test_pages_continue_where_they_ended(done: Store) -> None:
    store = done
    whole = acts(store, Wanted()).items
    found, cursor = list(acts(store, Wanted(), None, 1).items), acts(store, Wanted(), None, 1).cursor
    while cursor is not None:
        page = acts(store, Wanted(), cursor, 1)
        found, cursor = [*found, *page.items], page.cursor
    assert tuple(found) == whole
    assert (whole[-1].subject, whole[-1].detail, whole[-1].request) == ("eva", {"reason": "so"}, "r1")


@pytest.mark.parametrize("cursor", ["", "x", "-" + "9" * 40, "5.x", "-\u0663.x"])
def test_a_cursor_that_names_no_place_is_none_of_ours_and_does_no_harm(done: Store, cursor: str) -> None:
    assert acts(done, Wanted(), cursor).items == ()
