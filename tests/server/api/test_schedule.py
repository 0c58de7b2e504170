from __future__ import annotations

from typing import Any

import pytest
from icalendar import Calendar

from cmdb_server.answers.render.ics import BACKSLASH

SCHEDULE = "/api/v1/schedule"
YEAR = {"from": "2030-01-01T00:00:00Z", "to": "2031-01-01T00:00:00Z"}
FREEZE = {"start": "2030-12-20T00:00:00+01:00", "end": "2030-12-31T00:00:00+01:00"}


@pytest.fixture
def freeze(as_role) -> str:
    body = {"summary": "year's end; \n=1+1", "windows": [FREEZE]}
    answer = as_role("approver").post("/api/v1/kept/freeze", json={"body": body})
    assert answer.status_code == 201, answer.json
    return str(answer.json["number"])


def test_what_lies_ahead_is_told(reader, freeze: str) -> None:
    answer = reader.get(SCHEDULE, query_string=YEAR)
    assert answer.status_code == 200, answer.json
    (one,) = answer.json["items"]
    assert (one["number"], one["kind"], one["services"]) == (freeze, "freeze", [])
    assert one["spans"] == [{"start": "2030-12-19T23:00:00.000Z", "end": "2030-12-30T23:00:00.000Z"}]
    assert answer.json["start"] == "2030-01-01T00:00:00.000Z"
    assert reader.get(SCHEDULE, query_string=YEAR | {"kind": ["change", "outage"]}).json["items"] == []
    assert reader.get(SCHEDULE).json["items"] == []


def test_as_a_calendar_and_as_a_report(reader, freeze: str) -> None:
    answer = reader.get(SCHEDULE, query_string=YEAR | {"format": "ics"})
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="schedule.ics"'
    (event,) = Calendar.from_ical(answer.get_data(as_text=True)).walk("VEVENT")
    assert event["SUMMARY"] == f"{freeze} year's end; {BACKSLASH}x0a=1+1"
    assert reader.get(SCHEDULE, query_string=YEAR, headers={"Accept": "text/calendar"}).mimetype == "text/calendar"
    assert freeze in reader.get(SCHEDULE, query_string=YEAR | {"format": "markdown"}).get_data(as_text=True)
    assert reader.get(SCHEDULE, query_string=YEAR | {"format": "dot"}).status_code == 422


@pytest.mark.parametrize(
    ("told", "status", "path"),
    [
        ({"to": "2029-01-01T00:00:00Z"}, 422, "to"),
        ({"to": "2040-01-01T00:00:00Z"}, 422, "to"),
        ({"service": "00000000-0000-0000-0000-000000000000"}, 404, "service[0]"),
        ({"kind": "party"}, 422, "kind[0]"),
    ],
)
def test_bad_questions_name_the_field(reader, told: dict[str, Any], status: int, path: str) -> None:
    answer = reader.get(SCHEDULE, query_string=YEAR | told)
    assert (answer.status_code, answer.json["errors"][0]["path"]) == (status, path)
