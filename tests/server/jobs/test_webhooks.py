"""Every change reaches every webhook at least once and in order, whatever fails in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cmdb_server.answers.feed import changes
from cmdb_server.jobs.webhooks import LIMIT, deliver
from cmdb_server.notify.webhook import RefusedError
from cmdb_server.practices import kept, webhooks
from cmdb_server.practices.kept import By
from cmdb_server.store import tables
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore

NOW = 1_700_000_000_000


class Sink:
    """Stands for the network: keeps what it takes; fails while ``down``."""

    def __init__(self) -> None:
        self.down = False
        self.batches: list[tuple[str, list[dict[str, Any]]]] = []
        self.tried: list[str] = []

    def send(self, url: str, body: bytes, id_: str, secret: str, at_s: int, allowed: Any) -> None:
        self.tried.append(id_)
        if self.down:
            raise RefusedError("down")
        self.batches.append((url, msgspec.json.decode(body)))

    @property
    def told(self) -> list[str]:
        return [event["id"] for _, batch in self.batches for event in batch]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", "hush")


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "cmdb.db")


def change(store: Store, *cis: str, kind: str = "ci", deleted: int = 0) -> None:
    store.write(lambda tx: tx.insert(tables.FEED, [(tx.revision, kind, ci, deleted) for ci in cis]))


def everything(store: Store, since: int = 0) -> list[str]:
    return [f"{one.revision} {one.kind} {' '.join(one.id)}" for one in changes(store, since, limit=10_000).items]


def test_changes_after_registration_come_once_in_order_and_in_batches(store: SqliteStore) -> None:
    sink = Sink()
    change(store, "before")
    made = webhooks.register(store, "https://a.example", "env:HOOK_KEY", [], "root", NOW)
    change(store, *(f"ci-{n:03}" for n in range(LIMIT + 7)))
    change(store, "last", deleted=1)
    while deliver(store, (), NOW, sink.send):
        pass
    assert sink.told == everything(store, made.since) and len(sink.told) == LIMIT + 8
    assert [len(batch) for _, batch in sink.batches] == [LIMIT, 8]
    assert sink.batches[1][1][-1]["type"] == "cmdb.ci.deleted"
    before = store.revision()
    assert deliver(store, (), NOW, sink.send) == 0
    assert store.revision() == before, "nothing is written while there is nothing to tell"


def test_what_failed_is_told_again_under_the_same_id_when_it_is_due(store: SqliteStore) -> None:
    sink = Sink()
    made = webhooks.register(store, "https://a.example", "env:HOOK_KEY", [], "root", NOW)
    change(store, "x")
    sink.down = True
    assert deliver(store, (), NOW, sink.send) == 0
    (told,) = webhooks.every(store)
    assert (told.attempts, told.fault) == (1, "down")
    sink.down = False
    assert deliver(store, (), NOW, sink.send) == 0 and len(sink.tried) == 1
    assert deliver(store, (), told.due_at, sink.send) == 1
    assert sink.tried[0] == sink.tried[1] and sink.told == everything(store, made.since)


def test_a_batch_to_which_more_has_come_bears_another_id(store: SqliteStore) -> None:
    """Else a receiver that had taken the first one, though its answer was lost, would take the rest for a repeat."""
    sink = Sink()
    made = webhooks.register(store, "https://a.example", "env:HOOK_KEY", [], "root", NOW)
    change(store, "x")
    sink.down = True
    assert deliver(store, (), NOW, sink.send) == 0
    sink.down = False
    change(store, "y")
    assert deliver(store, (), webhooks.every(store)[0].due_at, sink.send) == 1
    assert sink.tried[0] != sink.tried[1] and sink.told == everything(store, made.since)


def test_what_nobody_thought_of_is_that_webhooks_fault_alone(store: SqliteStore) -> None:
    def send(url: str, *_: Any) -> None:
        if "a.example" in url:
            raise UnicodeError("label empty or too long")

    for url in ("https://a.example", "https://b.example"):
        webhooks.register(store, url, "env:HOOK_KEY", [], "root", NOW)
    change(store, "x")
    assert deliver(store, (), NOW, send) == 1
    faults = {one.url: one.fault for one in webhooks.every(store)}
    assert faults == {"https://a.example": "UnicodeError", "https://b.example": None}


def test_kinds_narrow_and_one_that_is_down_holds_up_no_other(store: SqliteStore) -> None:
    sink = Sink()
    webhooks.register(store, "https://a.example", "env:NO_SUCH_KEY", [], "root", NOW)
    webhooks.register(store, "https://b.example", "env:HOOK_KEY", ["relation"], "root", NOW)
    change(store, "x")
    change(store, "x runs_on y", kind="relation")
    assert deliver(store, (), NOW, sink.send) == 1
    ((url, batch),) = sink.batches
    assert url == "https://b.example" and [one["data"]["id"] for one in batch] == [["x", "runs_on", "y"]]
    faults = {one.url: one.fault for one in webhooks.every(store)}
    assert faults["https://b.example"] is None and "NO_SUCH_KEY" in (faults["https://a.example"] or "")


def test_events_are_cloudevents(store: SqliteStore) -> None:
    sink = Sink()
    webhooks.register(store, "https://a.example", "env:HOOK_KEY", [], "root", NOW)
    change(store, "x")
    deliver(store, (), NOW, sink.send)
    (event,) = sink.batches[0][1]
    assert {"specversion", "id", "source", "type"} <= event.keys() and event["specversion"] == "1.0"
    assert (event["type"], event["subject"], event["data"]["deleted"]) == ("cmdb.ci.changed", "x", False)


def test_what_is_kept_is_told_by_its_kind_and_what_happened(store: SqliteStore) -> None:
    sink = Sink()
    webhooks.register(store, "https://example.org", "env:HOOK_KEY", ["kept"], "ann", NOW)
    change(store, "somebody")
    by = By("olga", ("operator",), NOW, "it burns")
    body = {"summary": "<b>move", "windows": [{"start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z"}]}
    number = kept.open_(store, "change", body, {}, by).number
    kept.edit(store, number, 1, {"description": "more"}, by)
    kept.move(store, number, "cancel", by)
    while deliver(store, (), NOW, sink.send):
        pass
    events = [event for _, batch in sink.batches for event in batch]
    assert [event["type"] for event in events] == ["cmdb.change.opened", "cmdb.change.edited", "cmdb.change.moved"]
    assert {event["subject"] for event in events} == {number} and len({event["id"] for event in events}) == 3
    last = events[-1]["data"]
    assert (last["kept"]["transition"], last["kept"]["state"], last["kept"]["summary"]) == (
        "cancel",
        "cancelled",
        "<b>move",
    )
    assert (last["cause"]["subject"], last["cause"]["reason"]) == ("olga", "it burns")
