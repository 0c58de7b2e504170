"""The change feed: everything once, in order, from any revision on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.feed import Change, changes
from cmdb_server.errors import Invalid
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.practices import kept
from cmdb_server.practices.kept import By
from cmdb_server.store import tables
from cmdb_server.store.port import Writing
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report

AGENT = Caller("agent-1", "admin")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "cmdb.db")
    for n in range(3):
        hosts = [host("web", "10.0.0.1", os_name=f"os {n}"), host(f"db-{n}", f"10.0.0.{n + 2}")]
        ingest(opened, report(f"r{n}", START + n, hosts), AGENT, START + n)
    yield opened
    opened.close()


def everything(store: SqliteStore, since: int, limit: int) -> list[Change]:
    page = changes(store, since, limit=limit)
    found = list(page.items)
    while page.cursor is not None:
        page = changes(store, since, page.cursor, limit)
        found += page.items
    assert page.revision == store.revision()
    return found


@pytest.mark.parametrize("since", [0, 1, 2, 3])
@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_each_change_after_a_revision_comes_once_and_in_order(store: SqliteStore, since: int, limit: int) -> None:
    told = [(one.revision, one.kind, " ".join(one.id)) for one in everything(store, since, limit)]
    kept = store.read(lambda tx: [row[:3] for row in tx.scan(tables.FEED, None, 1000)])
    assert told == [row for row in kept if row[0] > since]
    assert bool(told) == (since < 3)


def test_the_end_tells_where_to_ask_on_and_why(store: SqliteStore) -> None:
    page = changes(store, 2)
    assert {one.cause.report for one in page.items} == {"r2"}
    assert changes(store, page.revision).items == ()


def test_what_is_still_to_come_and_cursors_of_others(store: SqliteStore) -> None:
    with pytest.raises(Invalid):
        changes(store, 4)
    for cursor in ("", "x ci y", "1 nothing z", "9" * 30 + " ci x"):
        with pytest.raises(Invalid):
            changes(store, 0, cursor)


def test_versions_of_what_is_kept_stand_in_the_feed_too(store: SqliteStore) -> None:
    by = By("olga", ("operator",), START + 10, "it burns")
    (web,) = [row[0] for row in store.read(lambda tx: tx.find(tables.CI, ("class", "name"), [("server", "web")]))]
    number = kept.open_(store, "outage", {"summary": "fire"}, {"down": [web]}, by).number
    ingest(store, report("r9", START + 11, [host("db-9", "10.0.0.99")]), AGENT, START + 11)
    kept.move(store, number, "end", by)
    found = everything(store, 3, 2)
    told = [one for one in found if one.kind == "kept"]
    assert [one.id for one in told] == [(number, "1"), (number, "2")]
    assert [one.revision for one in found] == sorted(one.revision for one in found) and len(found) > 2
    first, last = (one.kept for one in told)
    assert first is not None and last is not None
    assert (first.kind, first.transition, first.state, first.summary) == ("outage", "open", "open", "fire")
    assert (last.transition, last.state, last.cis) == ("end", "ended", {"down": (web,)})
    assert (told[0].cause.subject, told[0].cause.reason, told[0].cause.recorded_at) == ("olga", "it burns", START + 10)


def test_many_versions_in_one_revision_come_once_each_whatever_the_page(store: SqliteStore) -> None:
    def work(tx: Writing) -> None:
        rows = [
            (f"OUT{number:07}", version, tx.revision, START, "olga", "edit", "open", "", {}, {})
            for number in (1, 2, 10) for version in (1, 2, 9, 10, 11)
        ]  # fmt: skip
        tx.insert(tables.KEPT_VERSION, rows)
        tx.insert(tables.FEED, [(tx.revision, kind, "a b c", 0) for kind in ("ci", "relation")])

    store.write(work)
    whole = everything(store, 3, 1000)
    assert len(whole) == 17 == len({(one.kind, one.id) for one in whole})
    assert [everything(store, 3, limit) for limit in (1, 2, 7)] == [whole] * 3
