"""Dropping the past over the API."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cmdb_server.model.instants import rfc3339
from cmdb_server.store.port import Store
from tests.estate import DAY, MINUTE, Estate
from tests.factories import START, host

NOW = time.time_ns() // 1_000_000


@pytest.fixture
def told(store: Store) -> Estate:
    """Ten days until now of one host, whose version changes once."""
    estate = Estate(store)
    for day in range(10):
        at = (NOW - (10 - day) * DAY - START) / MINUTE
        estate.tell(at, host("a", "10.0.0.1", os_version="13" if day < 3 else "14"), target="10.0.0.1")
    return estate


def test_what_would_go_and_that_it_goes(admin: Any, told: Estate) -> None:
    assert admin.get("/api/v1/retention").json == {"at": None, "revision": 0, "feed": 0}
    before = rfc3339(NOW - 2 * DAY)
    dry = admin.post("/api/v1/retention", json={"before": before})
    assert dry.status_code == 200
    assert (dry.json["applied"], dry.json["horizon"]["at"]) == (False, before)
    assert dry.json["dropped"]["report"] > 0
    done = admin.post("/api/v1/retention", json={"before": before, "apply": True}).json
    assert done["applied"]
    assert done["dropped"]["report"] == dry.json["dropped"]["report"]
    assert admin.get("/api/v1/retention").json["at"] == before
    ci = told.ci("a")["id"]
    shown = admin.get(f"/api/v1/cis/{ci}", query_string={"at": rfc3339(NOW - DAY)})
    assert (shown.status_code, shown.json["attributes"]["os_version"]) == (200, "14")
    gone = admin.get(f"/api/v1/cis/{ci}", query_string={"at": rfc3339(NOW - 5 * DAY)})
    assert (gone.status_code, gone.json["type"].rpartition("/")[2]) == (410, "problems#forgotten")
    assert before in gone.json["detail"]
    feed = admin.get("/api/v1/changes")
    assert feed.status_code == 410
    assert "read everything anew" in feed.json["detail"]


@pytest.mark.parametrize(
    "body", [{}, {"before": "yesterday"}, {"before": rfc3339(NOW)}, {"before": rfc3339(0), "apply": "yes"}]
)
def test_refusals(admin: Any, body: dict[str, Any]) -> None:
    assert admin.post("/api/v1/retention", json=body).status_code == 422


def test_administrators_alone(reader: Any) -> None:
    assert reader.get("/api/v1/retention").status_code == 403
    assert reader.post("/api/v1/retention", json={"before": rfc3339(0)}).status_code == 403
