"""Samples are folded until none is left, in as many goes as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_schemas.report import Sample
from cmdb_server.jobs import samples, standing
from cmdb_server.jobs.timed import Running
from cmdb_server.practices import series
from cmdb_server.practices.timed import Job
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.settings import Settings
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import SAMPLED, SERIES_5MIN
from tests.estate import DAY, Estate, minute
from tests.factories import host

JOB = Job("samples", "samples", {}, 0)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    store = SqliteStore(tmp_path / "cmdb.db")
    projections = Projections(store, Rules.of(relation_types(), classes()))
    yield Running(Settings(), store, projections, classes(), {})
    store.close()


def test_what_is_left_is_due_at_once(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MOST", 2)
    fold = series.fold
    monkeypatch.setattr(series, "fold", lambda store: fold(store, 1))
    estate = Estate(running.store)
    for at in range(3):
        estate.tell(at * 10, host("a", "10.0.0.1"), samples=[Sample("a", "load", 1.0)])
    now = minute(60)
    assert samples.fold(running, JOB, now) == now
    assert samples.fold(running, JOB, now) == standing.again(standing.SAMPLES, now)
    assert running.store.read(lambda tx: (tx.count(SAMPLED), tx.count(SERIES_5MIN))) == (3, 3)
    samples.fold(running, JOB, now + 20 * DAY)
    assert running.store.read(lambda tx: (tx.count(SAMPLED), tx.count(SERIES_5MIN))) == (1, 0)
