from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_server.answers.lives import Lives
from cmdb_server.answers.testimony import R, as_evidence, unbelieved, void
from cmdb_server.ingest.decisions import decide
from cmdb_server.model.record import Record, Value
from cmdb_server.store import tables
from cmdb_server.store.port import Reading
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import NOW, bodies, deliver
from tests.factories import START
from tests.observed import Scan
from tests.situations import BOX, DAY, HARDWARE, OTHER, SOFTWARE, box, of, ssh


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "cmdb.sqlite")
    yield opened
    opened.close()


def told(tx: Reading) -> list[Record]:
    lives, found = Lives(tx, NOW, {}), []
    for row in tx.scan(tables.RECORD):
        lives.load([row[R["ci"]]])
        found += [as_evidence(row, one) for one in lives.sources(row[R["ci"]]) if one.record == row[0]]
    return found


def distrusted(store: SqliteStore) -> frozenset[Value]:
    return store.read(lambda tx: unbelieved(tx, told(tx)))


def test_a_record_with_its_evidence_and_its_time(store: SqliteStore) -> None:
    deliver(store, bodies([ssh(1, box("a", BOX)), ssh(2, box("b", BOX))]))
    (record,) = store.read(told)
    assert (record.intervals, record.address) == (((START + DAY, START + 2 * DAY),), "10.0.0.1")
    assert record.identifiers["serial"] == tuple(BOX["serial"]) and "@address" not in record.identifiers


def test_what_clones_share(store: SqliteStore) -> None:
    deliver(store, bodies([ssh(1, box("a", BOX), box("b", {**BOX, **of(OTHER, *HARDWARE)}, "10.0.0.2"))]))
    assert distrusted(store) == {(kind, value) for kind in SOFTWARE for value in BOX[kind]}


def test_what_people_distrust(store: SqliteStore) -> None:
    deliver(store, bodies([ssh(1, box("a", BOX))]))
    assert distrusted(store) == frozenset()
    decide(store, "anna", "distrust", {"value": ["serial", BOX["serial"][0]]}, "a sticker", NOW)
    assert distrusted(store) == {("serial", BOX["serial"][0])}


def test_what_identifies_nothing_anywhere(store: SqliteStore) -> None:
    things = [
        box(str(n), {"serial": ["SAME-1"], "mac": [f"3c:ec:ef:00:01:{n:02x}"]}, f"10.0.0.{n}") for n in range(1, 67)
    ]
    deliver(store, bodies([ssh(1, *things)]))
    assert store.read(lambda tx: void(tx, told(tx))) == distrusted(store) == {("serial", "SAME-1")}


def test_what_a_file_tells_is_read_as_identity_reads_it(store: SqliteStore) -> None:
    """A name that a file keeps is a label that people gave: shown otherwise, an explanation would not be the reason."""
    told_by_file = Scan("import:assets", "assets", DAY, (box("b", of(BOX, "serial", "name"), None, key="1"),))
    deliver(store, bodies([ssh(1, box("a", BOX)), told_by_file]))
    assert {one.source: one.declared for one in store.read(told)} == {"ssh": False, "import:assets": True}
