"""What is measured, over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cmdb_schemas.report import Sample
from cmdb_server.store.port import Store
from tests.estate import DAY, Estate, minute
from tests.factories import host, rfc3339

NAME = "ups.output.load/1"


@pytest.fixture
def measured(store: Store) -> str:
    estate = Estate(store)
    for at, value in ((0, 10.0), (1, 40.0)):
        estate.tell(at, host("a", "10.0.0.1"), samples=[Sample("a", NAME, value, "W", "counter")])
    return str(estate.ci("a")["id"])


def test_names_and_newest_values(reader: Any, measured: str) -> None:
    answer = reader.get(f"/api/v1/cis/{measured}/samples")
    assert answer.status_code == 200
    (item,) = answer.json["items"]
    assert (item["name"], item["value"], item["unit"], item["kind"]) == (NAME, 40.0, "W", "counter")
    assert item["at"] == rfc3339(minute(1)).replace("+00:00", "Z")
    shown = reader.get(f"/api/v1/cis/{measured}").json
    assert shown["samples"] == [item]
    assert shown["links"]["samples"] == f"/api/v1/cis/{measured}/samples"
    again = reader.get(f"/api/v1/cis/{measured}/samples", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_course(reader: Any, measured: str) -> None:
    query = {"from": rfc3339(minute(-10)), "to": rfc3339(minute(10)), "resolution": "raw"}
    told = reader.get(f"/api/v1/cis/{measured}/samples/{NAME}", query_string=query).json
    assert [(one["last"], one["rate"]) for one in told["points"]] == [(10.0, None), (40.0, 0.5)]
    assert (told["resolution"], told["source"], told["ci"]) == ("raw", "ssh", measured)
    query["resolution"] = "1d"
    (day,) = reader.get(f"/api/v1/cis/{measured}/samples/{NAME}", query_string=query).json["points"]
    assert (day["count"], day["at"]) == (2, rfc3339(minute(0) - minute(0) % DAY).replace("+00:00", "Z"))
    query = {"from": rfc3339(minute(0) - DAY)}
    assert reader.get(f"/api/v1/cis/{measured}/samples/{NAME}", query_string=query).json["resolution"] == "1d"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{NAME}?from=yesterday", 422),
        (f"{NAME}?from=2030-01-01T00:00:00Z&to=2029-01-01T00:00:00Z", 422),
        (f"{NAME}?resolution=2min", 422),
        ("nothing", 404),
        (f"{NAME}?source=snmp", 404),
    ],
)
def test_refusals(reader: Any, measured: str, path: str, status: int) -> None:
    assert reader.get(f"/api/v1/cis/{measured}/samples/{path}").status_code == status


def test_agents_may_not_read(as_role: Callable[..., Any], measured: str) -> None:
    assert as_role("agent").get(f"/api/v1/cis/{measured}/samples").status_code == 403
