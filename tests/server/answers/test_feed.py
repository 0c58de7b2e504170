"""The change feed: everything once, in order, from any revision on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.feed import Change, changes
from cmdb_server.errors import Invalid
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store import tables
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
