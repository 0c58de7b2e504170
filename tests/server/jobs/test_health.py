"""The figures are recorded every hour."""

from __future__ import annotations

from pathlib import Path

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.jobs.health import record
from cmdb_server.jobs.timed import Running
from cmdb_server.practices.health_course import course
from cmdb_server.practices.timed import Job
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.settings import Settings
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import Estate, minute
from tests.factories import host


def test_the_figures_of_now_and_due_in_an_hour(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")
    running = Running(Settings(), store, Projections(store, Rules.of(relation_types(), classes())), classes(), {})
    Estate(store).tell(0, host("a", "10.0.0.1"))
    assert 0 < record(running, Job("health", "health", {}, 0), minute(1)) - minute(1) <= 3_600_000
    (told,) = store.read(lambda tx: list(course(tx, 0, minute(2))))
    assert told.figures[("no-owner", "server", "")] == (1, 1)
    store.close()
