"""Standing jobs are there once, and due again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_schemas.report import Sample
from cmdb_server.jobs import standing
from cmdb_server.jobs.timed import Running, known
from cmdb_server.practices import timed
from cmdb_server.practices.health_course import course
from cmdb_server.practices.kind_files import kinds
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.settings import Settings
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import SERIES_1D
from tests.estate import Estate, minute
from tests.factories import host


@pytest.fixture
def running(tmp_path: Path) -> Running:
    store = SqliteStore(tmp_path / "cmdb.db")
    return Running(Settings(), store, Projections(store, Rules.of(relation_types(), classes())), classes(), kinds())


def test_each_is_scheduled_once_and_known(running: Running) -> None:
    standing.begin(running.store, minute(0))
    revision = running.store.revision()
    standing.begin(running.store, minute(1))
    assert running.store.revision() == revision
    assert {one.id for one in timed.every(running.store)} == standing.EVERY_MS.keys()
    assert standing.EVERY_MS.keys() <= known().keys()


def test_each_is_done_and_due_again(running: Running) -> None:
    assert standing.work(running, minute(0)) == len(standing.EVERY_MS)
    assert standing.work(running, minute(0)) == 0
    for one in timed.every(running.store):
        assert one.fault is None
        assert one.due_at == standing.again(one.kind, minute(0)) > minute(0)
        assert one.due_at % standing.EVERY_MS[one.kind] == 0


def test_what_they_do(running: Running) -> None:
    Estate(running.store).tell(0, host("a", "10.0.0.1"), samples=[Sample("a", "load", 1.0)])
    standing.work(running, minute(1))
    (told,) = running.store.read(lambda tx: list(course(tx, 0, minute(9))))
    assert told.at == minute(1)
    assert told.figures[("no-owner", "server", "")] == (1, 1)
    assert running.store.read(lambda tx: tx.count(SERIES_1D)) == 1
