"""Service hours against the clock looked at minute by minute."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.errors import Invalid
from cmdb_server.model.instants import parse, rfc3339
from cmdb_server.model.intervals import total
from cmdb_server.model.service_hours import DAYS, Hours, hours

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
OFFICE = "Mo-Fr 08:00-18:00, Sa 10:00-14:00 Europe/Berlin"


def test_as_people_write_them() -> None:
    found = hours(OFFICE)
    assert found.zone == "Europe/Berlin" and [part[1:] for part in found.parts] == [(480, 1080), (600, 840)]
    assert found.parts[0][0] == frozenset(range(5)) and found.parts[1][0] == {5}
    assert hours("Sa-Mo 00:00-24:00").parts == ((frozenset({5, 6, 0}), 0, 1440),)
    assert hours("Fr 22:00-06:00").parts == ((frozenset({4}), 1320, 1800),)
    assert hours("24/7") == Hours() == hours("24/7 Europe/Berlin")


def test_a_week_of_the_office() -> None:
    week = (parse("2026-03-02T00:00:00+01:00"), parse("2026-03-09T00:00:00+01:00"))
    found = hours(OFFICE).intervals(week)
    assert total(found) == 54 * HOUR and rfc3339(found[0][0]) == "2026-03-02T07:00:00.000Z"
    assert total(Hours().intervals(week)) == 7 * DAY


def test_when_the_clock_changes() -> None:
    night = hours("Mo-Su 00:00-06:00 Europe/Berlin")
    spring = (parse("2026-03-29T00:00:00+01:00"), parse("2026-03-30T00:00:00+02:00"))
    autumn = (parse("2026-10-25T00:00:00+02:00"), parse("2026-10-26T00:00:00+01:00"))
    assert total(night.intervals(spring)) == 5 * HOUR and total(night.intervals(autumn)) == 7 * HOUR


@pytest.mark.parametrize(
    "text",
    [
        "", "always", "Mo-Fr", "08:00-18:00", "Mo-Xx 08:00-18:00", "Mo 8-18", "Mo 08:00-25:00", "Mo 24:00-06:00",
        "Mo 08:00-08:00", "Mo 08:00-18:00 Mars/Base", "Mo 08:00-18:00,", "Mo 08:60-09:00", "Mo  08:00-18:00",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_its_path(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        hours(text, "offering.service_hours")
    assert refused.value.extra["errors"][0]["path"] == "offering.service_hours"


def test_expansion_is_bounded() -> None:
    with pytest.raises(Invalid):
        hours(OFFICE).intervals((0, 5000 * DAY))


@settings(max_examples=40, deadline=None)
@given(
    st.sets(st.integers(0, 6), min_size=1, max_size=3),
    st.integers(0, 23),
    st.integers(1, 24),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.integers(0, 365),
)
def test_against_the_clock_looked_at_minute_by_minute(
    days: set[int], start: int, end: int, zone: str, later: int
) -> None:
    """Full hours, so that no part of them lies in what the clock leaves out or shows twice, beside its edges."""
    if start == end:
        return
    text = ", ".join(f"{DAYS[day]} {start:02}:00-{end:02}:00" for day in sorted(days)) + f" {zone}"
    begin = parse("2026-01-01T00:00:00Z") + later * DAY
    offsets = {datetime.fromtimestamp((begin + at * HOUR) / 1000, ZoneInfo(zone)).utcoffset() for at in range(-48, 72)}
    if len(offsets) > 1:
        return
    found = hours(text).intervals((begin, begin + DAY))
    for at in range(begin, begin + DAY, 5 * MINUTE):
        clock = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
        minute, day = clock.hour, clock.weekday()
        if end > start:
            serving = day in days and start <= minute < end
        else:
            serving = (day in days and minute >= start) or ((day - 1) % 7 in days and minute < end)
        assert serving == any(a <= at < b for a, b in found), clock
