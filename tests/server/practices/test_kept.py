"""Kept things go the ways of their kind, one version at a time, or stay as they were."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.errors import CmdbError, Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from cmdb_server.practices import guards, kept, kept_rows
from cmdb_server.practices.guards import Attempt, effect, guard
from cmdb_server.practices.kept import By, Kept
from cmdb_server.practices.kind_files import kinds
from cmdb_server.store.port import Store, Writing
from cmdb_server.store.tables import JOB, KEPT, KEPT_CI, KEPT_COUNT, KEPT_VERSION
from tests.factories import START

pytestmark = pytest.mark.usefixtures("guards_aside")

KNOWN = kinds(Path(__file__).parents[2] / "cases/kept")
OPERATOR, APPROVER = By("ann", ("operator",), START), By("bob", ("approver",), START + 1000)
WINDOW = {"start": "2026-03-01T22:00:00Z", "end": "2026-03-02T02:00:00Z"}
READY: dict[str, Any] = {"summary": "move", "windows": [WINDOW], "plan": "do it", "back_out": "undo it"}


@pytest.fixture
def registry() -> Iterator[None]:
    """Guards and effects of a test end with it."""
    asked, called = dict(guards._GUARDS), dict(guards._EFFECTS)
    yield
    for registered, before in ((guards._GUARDS, asked), (guards._EFFECTS, called)):
        registered.clear()
        registered.update(before)


def everything(store: Store) -> list[Any]:
    return [store.read(lambda tx, table=table: tx.scan(table)) for table in (KEPT, KEPT_VERSION, KEPT_CI, KEPT_COUNT)]


def paths(error: CmdbError) -> list[str]:
    return [one["path"] for one in error.extra["errors"]]


def go(store: Store, change: Kept, *transitions: str) -> Kept:
    for name in transitions:
        by = APPROVER if name == "schedule" else OPERATOR
        change = kept.move(
            store, change.number, name, by, {"outcome": "successful"} if name == "review" else None, known=KNOWN
        )
    return change


def test_a_normal_change_from_its_opening_to_its_end(store: Store, ci: Callable[..., str]) -> None:
    web = ci("web-1")
    change = kept.open_(store, "request", READY, {"changed": [web]}, OPERATOR, known=KNOWN)
    assert (change.number, change.state, change.version, change.body["type"]) == ("REQ0000001", "new", 1, "normal")
    closed = go(store, change, "assess", "authorise", "schedule", "implement", "review", "close")
    assert (closed.state, closed.version, closed.subject) == ("closed", 7, "ann")
    assert closed == kept_rows.one(store, change.number)
    versions = kept_rows.history(store, change.number)
    assert [(one.version, one.transition, one.state) for one in versions] == [
        (1, "open", "new"), (2, "assess", "assess"), (3, "authorise", "authorise"), (4, "schedule", "scheduled"),
        (5, "implement", "implement"), (6, "review", "review"), (7, "close", "closed"),
    ]  # fmt: skip
    assert versions[3].subject == "bob" and versions[3].at == START + 1000
    assert versions[3].body == change.body and versions[-1].body == closed.body
    assert len({one.revision for one in versions}) == 7


def test_standard_and_emergency_changes_go_their_own_ways(store: Store, ci: Callable[..., str]) -> None:
    cis = {"changed": [ci("web-1")]}
    standard = kept.open_(
        store, "request", READY | {"type": "standard", "template": "reboot"}, cis, OPERATOR, known=KNOWN
    )
    urgent = kept.open_(store, "request", READY | {"type": "emergency"}, cis, OPERATOR, known=KNOWN)
    assert kept.move(store, standard.number, "schedule", OPERATOR, known=KNOWN).state == "scheduled"
    with pytest.raises(Conflict) as refused:
        kept.move(store, urgent.number, "assess", OPERATOR, known=KNOWN)
    assert refused.value.extra == {"state": "new", "possible": ["authorise", "cancel"]}
    go(store, urgent, "authorise", "schedule", "implement", "review")
    with pytest.raises(Forbidden):
        kept.move(store, urgent.number, "close", OPERATOR, known=KNOWN)
    with pytest.raises(Invalid) as unseen:
        kept.move(store, urgent.number, "close", APPROVER, known=KNOWN)
    assert paths(unseen.value) == ["body.review"]
    late = kept.edit(store, urgent.number, 5, {"review": "all went well"}, OPERATOR, known=KNOWN)
    assert kept.move(store, late.number, "close", APPROVER, known=KNOWN).state == "closed"


def test_what_does_not_fit_is_refused_with_all_paths_and_nothing_is_written(
    store: Store, ci: Callable[..., str]
) -> None:
    before = everything(store)
    body = {
        "type": "sudden", "windows": [WINDOW, {"start": WINDOW["end"], "end": WINDOW["start"]}],
        "colour": "red", "selector": "class ==", "owner": 5, "started_at": "noon",
    }  # fmt: skip
    with pytest.raises(Invalid) as refused:
        kept.open_(store, "request", body, {"changed": ["no such"], "moved": []}, OPERATOR, known=KNOWN)
    assert sorted(paths(refused.value)) == [
        "body.colour", "body.owner", "body.selector", "body.started_at", "body.summary", "body.type",
        "body.windows[1].end", "cis.changed[0]", "cis.moved",
    ]  # fmt: skip
    with pytest.raises(NotFound):
        kept.open_(store, "party", {}, {}, OPERATOR, known=KNOWN)
    with pytest.raises(Forbidden):
        kept.open_(store, "request", READY, {}, By("eve", ("reader",), START), known=KNOWN)
    with pytest.raises(Invalid) as nothing_down:
        kept.open_(store, "outage", {}, {}, OPERATOR, known=KNOWN)
    assert paths(nothing_down.value) == ["cis.down"]
    assert everything(store) == before


def test_a_transition_says_what_is_missing_and_what_is_possible(store: Store) -> None:
    bare = kept.open_(store, "request", {"summary": "x"}, {}, OPERATOR, known=KNOWN)
    with pytest.raises(Invalid) as lacking:
        kept.move(store, bare.number, "assess", OPERATOR, known=KNOWN)
    assert paths(lacking.value) == ["cis.changed", "body.windows", "body.plan", "body.back_out"]
    with pytest.raises(Invalid) as silent:
        kept.move(store, bare.number, "cancel", OPERATOR, known=KNOWN)
    assert paths(silent.value) == ["note"]
    with pytest.raises(Conflict) as early:
        kept.move(store, bare.number, "close", OPERATOR, known=KNOWN)
    assert early.value.extra["possible"] == ["assess", "cancel"] and "is new" in early.value.detail
    with pytest.raises(Invalid) as unknown:
        kept.move(store, bare.number, "fly", OPERATOR, known=KNOWN)
    assert paths(unknown.value) == ["transition"]
    with pytest.raises(NotFound):
        kept.move(store, "REQ0000099", "cancel", OPERATOR, known=KNOWN)
    assert kept_rows.one(store, bare.number) == bare
    gone = kept.move(store, bare.number, "cancel", By("ann", ("operator",), START, "not needed"), known=KNOWN)
    assert gone.state == "cancelled" and kept_rows.history(store, bare.number)[-1].note == "not needed"
    with pytest.raises(Conflict):
        kept.edit(store, bare.number, 2, {"summary": "y"}, OPERATOR, known=KNOWN)


def test_nobody_lets_their_own_through_whatever_their_role(store: Store, ci: Callable[..., str]) -> None:
    change = kept.open_(store, "request", READY, {"changed": [ci("web-1")]}, OPERATOR, known=KNOWN)
    go(store, change, "assess", "authorise")
    for roles in (["approver"], ["admin"]):
        with pytest.raises(Forbidden):
            kept.move(store, change.number, "schedule", By("ann", roles, START), known=KNOWN)
    assert kept.move(store, change.number, "schedule", By("root", ["admin"], START), known=KNOWN).state == "scheduled"


def test_the_owner_of_a_ci_is_let_through_as_owner(store: Store, ci: Callable[..., str]) -> None:
    change = kept.open_(store, "request", READY, {"changed": [ci("web-1", owned_by="cy")]}, OPERATOR, known=KNOWN)
    go(store, change, "assess", "authorise")
    with pytest.raises(Forbidden):
        kept.move(store, change.number, "schedule", By("dee", ("reader",), START), known=KNOWN)
    assert kept.move(store, change.number, "schedule", By("cy", ("reader",), START), known=KNOWN).state == "scheduled"


def test_an_edit_is_for_the_version_it_was_made_for(store: Store, ci: Callable[..., str]) -> None:
    web, db = ci("web-1"), ci("db-1")
    change = kept.open_(store, "request", READY, {"changed": [web]}, OPERATOR, known=KNOWN)
    edited = kept.edit(
        store, change.number, 1, {"summary": "moved", "back_out": None}, OPERATOR, {"changed": [db, db]}, known=KNOWN
    )
    assert edited.version == 2 and edited.body["summary"] == "moved" and "back_out" not in edited.body
    assert edited.cis == {"changed": (db,)} and edited == kept_rows.one(store, change.number)
    assert [row[0] for row in store.read(lambda tx: tx.scan(KEPT_CI))] == [db]
    with pytest.raises(PreconditionFailed):
        kept.edit(store, change.number, 1, {"summary": "other"}, OPERATOR, known=KNOWN)
    with pytest.raises(PreconditionFailed):
        kept.move(store, change.number, "assess", OPERATOR, version=1, known=KNOWN)
    assert kept.edit(store, change.number, 2, {"summary": "moved"}, OPERATOR, known=KNOWN).version == 2, (
        "nothing changed"
    )
    with pytest.raises(Invalid) as emptied:
        kept.edit(store, change.number, 2, {"summary": ""}, OPERATOR, known=KNOWN)
    assert paths(emptied.value) == ["body.summary"]


def test_what_was_assessed_is_edited_no_more(store: Store, ci: Callable[..., str]) -> None:
    change = kept.open_(store, "request", READY, {"changed": [ci("web-1")]}, OPERATOR, known=KNOWN)
    go(store, change, "assess")
    with pytest.raises(Invalid) as refused:
        kept.edit(store, change.number, 2, {"type": "standard"}, OPERATOR, known=KNOWN)
    assert paths(refused.value) == ["body.type"]
    with pytest.raises(Invalid) as carried:
        kept.move(store, change.number, "authorise", OPERATOR, {"outcome": "failed"}, known=KNOWN)
    assert paths(carried.value) == ["body.outcome"]
    go(store, change, "authorise")
    with pytest.raises(Conflict):
        kept.edit(store, change.number, 3, {"plan": "another"}, OPERATOR, known=KNOWN)


def test_of_many_at_once_one_moves_it(store: Store, ci: Callable[..., str]) -> None:
    change = kept.open_(store, "request", READY, {"changed": [ci("web-1")]}, OPERATOR, known=KNOWN)
    outcomes: list[Any] = []

    def attempt() -> None:
        try:
            outcomes.append(kept.move(store, change.number, "assess", OPERATOR, known=KNOWN))
        except Conflict as error:
            outcomes.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 6 and len([one for one in outcomes if isinstance(one, Kept)]) == 1
    assert [one.version for one in kept_rows.history(store, change.number)] == [1, 2]


@pytest.mark.usefixtures("registry")
def test_a_guard_refuses_and_an_effect_is_written_with_the_version_or_not_at_all(store: Store) -> None:
    seen: list[Attempt] = []

    @guard("request", "open", "cancel")
    def look(attempt: Attempt) -> None:
        seen.append(attempt)
        if attempt.after.body["summary"] == "never":
            raise Conflict("never")

    @effect("request", "cancel")
    def book(tx: Writing, attempt: Attempt) -> None:
        tx.put(JOB, [(attempt.after.number, "x", {}, 1, 0, 0, 0, None, None)])
        if attempt.note == "break":
            raise Conflict("broken")

    before = everything(store)
    with pytest.raises(Conflict):
        kept.open_(store, "request", {"summary": "never"}, {}, OPERATOR, known=KNOWN)
    assert everything(store) == before
    made = kept.open_(store, "request", {"summary": "x"}, {}, OPERATOR, known=KNOWN)
    assert made.number == "REQ0000001", "no number was lost"
    before = everything(store)
    with pytest.raises(Conflict):
        kept.move(store, made.number, "cancel", By("ann", ("operator",), START, "break"), known=KNOWN)
    assert everything(store) == before and store.read(lambda tx: tx.scan(JOB)) == []
    kept.move(store, made.number, "cancel", By("ann", ("operator",), START, "so be it"), known=KNOWN)
    assert len(store.read(lambda tx: tx.scan(JOB))) == 1
    assert (seen[-1].before, seen[-1].after.state, seen[-1].transition) == (made, "cancelled", "cancel")


def test_an_outage_begins_now_and_ends_now_unless_told(store: Store, ci: Callable[..., str]) -> None:
    out = kept.open_(store, "outage", {"note": "smoke"}, {"down": [ci("web-1")]}, OPERATOR, known=KNOWN)
    assert out.body["started_at"] == "2023-11-14T22:13:20.000Z"
    ended = kept.move(store, out.number, "end", By("ann", ("operator",), START + 60_000), known=KNOWN)
    assert ended.body["ended_at"] == "2023-11-14T22:14:20.000Z"
    told = kept.open_(
        store, "outage", {"started_at": "2026-01-01T00:00:00Z"}, {"down": [ci("db-1")]}, OPERATOR, known=KNOWN
    )
    told = kept.move(store, told.number, "end", OPERATOR, {"ended_at": "2026-01-01T01:00:00Z"}, known=KNOWN)
    assert (told.body["started_at"], told.body["ended_at"]) == ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")
    late = kept.open_(
        store, "outage", {"started_at": "2026-01-01T00:00:00Z"}, {"down": [told.cis["down"][0]]}, OPERATOR
    )
    with pytest.raises(Invalid) as backwards:
        kept.move(store, late.number, "end", OPERATOR, {"ended_at": "2025-12-31T23:59:59Z"})
    assert paths(backwards.value) == ["body.ended_at"]
    with pytest.raises(Invalid) as both:
        kept.move(store, late.number, "end", OPERATOR, {"ended_at": "noon"})
    assert paths(both.value) == ["body.ended_at"] and kept_rows.one(store, late.number) == late


def test_what_ends_before_it_began_ends_as_it_begins(store: Store, ci: Callable[..., str]) -> None:
    """By another server's clock, or because it was told for later and called off."""
    soon = kept.open_(store, "outage", {"started_at": "2026-01-01T00:00:00Z"}, {"down": [ci("web-1")]}, OPERATOR)
    ended = kept.move(store, soon.number, "end", OPERATOR)
    assert ended.body["ended_at"] == "2026-01-01T00:00:00.000Z"


def test_what_changes_on_the_way_does_not_lead_by_another(store: Store, ci: Callable[..., str]) -> None:
    """A normal change is assessed: that it becomes a standard one on the way there is no way around it, nor back."""
    change = kept.open_(store, "request", READY, {"changed": [ci("web-1")]}, OPERATOR, known=KNOWN)
    with pytest.raises(Conflict) as refused:
        kept.move(store, change.number, "assess", OPERATOR, {"type": "standard", "template": "x"}, known=KNOWN)
    assert "assess" not in refused.value.extra["possible"] and kept_rows.one(store, change.number) == change


def test_who_may_not_open_hears_nothing_of_what_is_wrong(store: Store) -> None:
    with pytest.raises(Forbidden):
        kept.open_(store, "request", {"colour": "red"}, {}, By("eve", ("reader",), START), known=KNOWN)
