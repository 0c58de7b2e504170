from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from icalendar import Calendar

from tests.serving import Served

YEAR = ("--from", "2030-01-01T00:00:00Z", "--to", "2031-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def freeze(server: Served) -> str:
    bearer = {"Authorization": f"Bearer {server.token}"}
    window = {
        "start": "2030-12-20T00:00:00Z",
        "end": "2030-12-31T00:00:00Z",
        "rrule": "FREQ=YEARLY;COUNT=2",
        "zone": "UTC",
    }
    body = {"body": {"summary": "[bold]year's end", "windows": [window]}}
    answer = httpx.post(f"{server.url}/api/v1/kept/freeze", json=body, headers=bearer)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


def test_the_schedule_is_shown_and_written(cmdb, freeze: str, tmp_path: Path) -> None:
    told = cmdb("schedule", *YEAR)
    assert told.code == 0, told.err
    assert freeze in told.out and "[bold]year's end" in told.out and "2030-12-20T00:00:00.000Z" in told.out
    assert cmdb("schedule", *YEAR, "--format", "ics", "--output", "out.ics").code == 0
    assert len(Calendar.from_ical((tmp_path / "out.ics").read_text()).walk("VEVENT")) == 1
    assert json.loads(cmdb("schedule", *YEAR, "--kind", "change", "--json").out)["items"] == []


def test_a_time_that_is_none_is_refused(cmdb) -> None:
    told = cmdb("schedule", "--from", "2031-01-01T00:00:00Z", "--to", "2030-01-01T00:00:00Z")
    assert told.code == 1 and "to: is not after from" in told.err
    assert cmdb("schedule", "--service", "nobody").code == 5
