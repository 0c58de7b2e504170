"""What was not confirmed in time is let go by a standing job."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.jobs import refresh, standing
from cmdb_server.jobs.timed import Running
from cmdb_server.practices.timed import Job
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.settings import Settings
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import DAY, Estate, minute
from tests.factories import host


def test_what_is_overdue_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")
    running = Running(Settings(), store, Projections(store, Rules.of(relation_types(), classes())), classes(), {})
    estate = Estate(store)
    estate.tell(0, host("a", "10.0.0.1", os_version="13"), source="ssh")
    estate.tell(5000, host("a", "10.0.0.1", os_version="Linux"), source="snmp")
    now = minute(0) + 15 * DAY
    monkeypatch.setattr(refresh, "MOST", 1)
    assert refresh.refresh(running, Job("refresh", "refresh", {}, 0), now) == now, "there may be more"
    assert refresh.refresh(running, Job("refresh", "refresh", {}, 0), now) == standing.again(standing.REFRESH, now)
    assert estate.ci("a", "server")["attributes"]["os_version"] == "Linux"
    store.close()
