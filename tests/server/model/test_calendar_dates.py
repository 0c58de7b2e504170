"""Days and times as calendars list them."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from cmdb_server.model.calendar_dates import left_out, start
from cmdb_server.model.instants import of_moment

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("2026-07-04", "07-04T22:30"), ("20260704", "07-04T22:30"), ("20260704T010203", "07-04T01:02"),
        ("20260704T230000Z", "07-05T01:00"), ("2026-07-04T23:00:00-01:00", "07-05T02:00"),
    ],
)  # fmt: skip
def test_what_the_clock_shows(told: str, shown: str) -> None:
    assert f"{start(told, BERLIN, time(22, 30)):%m-%dT%H:%M}" == shown


def test_a_day_is_as_long_as_the_clock_makes_it() -> None:
    begin, end = left_out("2026-03-29", BERLIN)
    assert (begin, end - begin) == (of_moment(datetime(2026, 3, 28, 23, tzinfo=UTC)), 23 * HOUR)
    assert left_out("2026-10-25", BERLIN)[1] - left_out("2026-10-25", BERLIN)[0] == 25 * HOUR


def test_a_time_is_one_second_even_where_the_clock_leaves_it_out() -> None:
    begin, end = left_out("20260329T023000", BERLIN)
    assert (begin, end - begin) == (of_moment(datetime(2026, 3, 29, 1, 30, tzinfo=UTC)), 1000)


@pytest.mark.parametrize(
    "told", ["", "soon", None, 20260704, "2026-13-01", "20260704T250000", "2600-01-01", "1900-01-01"]
)
def test_what_is_refused(told: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        start(told, BERLIN, time())
