"""Windows in time zones, against the clock looked at minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.errors import Invalid
from cmdb_server.model.calendar import Window, expand, window
from cmdb_server.model.instants import of_moment, parse, rfc3339
from cmdb_server.model.intervals import difference, intersection, normalise

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BERLIN = "Europe/Berlin"


def told(start: str, end: str, **more: Any) -> Window:
    return window({"start": start, "end": end, **more})


def texts(one: Window, start: str, end: str) -> list[tuple[str, str]]:
    found = one.occurrences((parse(start), parse(end)))
    return [(rfc3339(a)[5:16], rfc3339(b)[5:16]) for a, b in found]


def test_by_the_clock_on_the_wall_when_summer_begins_and_ends() -> None:
    night = told("2026-03-01T22:00:00+01:00", "2026-03-02T06:00:00+01:00", rrule="FREQ=DAILY", zone=BERLIN)
    assert texts(night, "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z") == [
        ("03-28T21:00", "03-29T04:00"), ("03-29T20:00", "03-30T04:00"),
    ]  # fmt: skip
    assert texts(night, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z") == [
        ("10-24T20:00", "10-25T05:00"), ("10-25T21:00", "10-26T05:00"),
    ]  # fmt: skip


def test_a_time_that_is_left_out_has_the_offset_before_and_one_that_comes_twice_is_the_first() -> None:
    early = told("2026-03-01T02:30:00+01:00", "2026-03-01T04:00:00+01:00", rrule="FREQ=DAILY", zone=BERLIN)
    assert texts(early, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z") == [("03-29T01:30", "03-29T02:00")]
    assert texts(early, "2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z") == [("10-25T00:30", "10-25T03:00")]
    within = told("2026-03-01T02:30:00+01:00", "2026-03-01T03:00:00+01:00", rrule="FREQ=DAILY", zone=BERLIN)
    assert texts(within, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z") == [], "it would end before it began"


def test_single_times_are_left_out_and_others_added() -> None:
    saturdays = told(
        "2026-12-05T22:00:00+01:00", "2026-12-06T02:00:00+01:00", rrule="FREQ=WEEKLY;BYDAY=SA", zone=BERLIN,
        exdate=["2026-12-26", "20261212T220000", "2027-01-02T21:00:00Z"], rdate=["20261228T230000", "2026-12-30"],
    )  # fmt: skip
    assert texts(saturdays, "2026-12-01T00:00:00Z", "2027-01-10T00:00:00Z") == [
        ("12-05T21:00", "12-06T01:00"), ("12-19T21:00", "12-20T01:00"), ("12-28T22:00", "12-29T02:00"),
        ("12-30T21:00", "12-31T01:00"), ("01-09T21:00", "01-10T01:00"),
    ]  # fmt: skip


def test_times_that_are_listed_need_no_rule() -> None:
    once = ("2026-03-28T01:30:00+01:00", "2026-03-28T04:00:00+01:00")
    listed = told(*once, zone=BERLIN, rdate=["2026-03-29", "20260301T120000Z", "20260329T013000"])
    assert texts(listed, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z") == [
        ("03-01T12:00", "03-01T14:30"), ("03-28T00:30", "03-28T03:00"), ("03-29T00:30", "03-29T02:00"),
    ]  # fmt: skip


def test_one_day_left_out_of_what_comes_several_times_a_day() -> None:
    often = told(
        "2026-03-02T02:00:00Z", "2026-03-02T03:00:00Z", rrule="FREQ=DAILY;BYHOUR=2,14;COUNT=6",
        exdate=["2026-03-03", "20260304T140000Z"],
    )  # fmt: skip
    assert [start for start, _ in texts(often, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")] == [
        "03-02T02:00", "03-02T14:00", "03-04T02:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"exdate": "2026-03-03"}, "exdate"), ({"exdate": ["2026-03-03"] * 501}, "exdate"),
        ({"exdate": [5]}, "exdate[0]"), ({"exdate": ["2026-03-03", "tomorrow"]}, "exdate[1]"),
        ({"exdate": ["2026-02-30"]}, "exdate[0]"), ({"exdate": ["20260303T250000"]}, "exdate[0]"),
        ({"rdate": ["1969-01-01"]}, "rdate[0]"), ({"rdate": ["20260303T220000/PT1H"]}, "rdate[0]"),
        ({"rdate": {"2026-03-03": 1}}, "rdate"), ({"exdate": ["2026-03-02"]}, "exdate"),
        ({"exdate": ["2026-03-02", "2026-03-03"], "rrule": "FREQ=DAILY;COUNT=2"}, "exdate"),
    ],
)  # fmt: skip
def test_days_that_cannot_be_read(more: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        told("2026-03-02T02:00:00Z", "2026-03-02T03:00:00Z", **more)
    assert [one["path"] for one in refused.value.extra["errors"]] == [path]


def test_touching_is_no_overlap_with_a_period() -> None:
    once = told("2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z")
    assert once.intervals((once.end, once.end + DAY)) == () == once.intervals((once.start - DAY, once.start))
    assert once.intervals((once.start, once.start + 1)) == ((once.start, once.end),)
    assert expand([once], (once.start, once.start + 1)) == ((once.start, once.start + 1),)


def test_occurrences_that_began_before_the_period_count() -> None:
    week = told("2026-03-02T00:00:00Z", "2026-03-07T00:00:00Z", rrule="FREQ=WEEKLY")
    assert texts(week, "2026-03-12T00:00:00Z", "2026-03-13T00:00:00Z") == [("03-09T00:00", "03-14T00:00")]


@pytest.mark.parametrize(
    ("told", "paths"),
    [
        ({"start": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}, ["end"]),
        ({"start": "2026-03-02T00:00:00Z", "end": "2026-03-02T00:00:00Z"}, ["end"]),
        ({"start": "2026-03-02T00:00:00Z"}, ["end"]),
        ({}, ["start", "end"]),
        ({"start": 5, "end": "soon"}, ["start", "end"]),
        ({"start": "1969-03-02T00:00:00Z", "end": "2600-03-01T00:00:00Z"}, ["start", "end"]),
        ({"zone": "Mars/Base"}, ["zone"]),
        ({"zone": "../../etc/passwd"}, ["zone"]),
        ({"zone": "Europe"}, ["zone"]),
        ({"zone": 5}, ["zone"]),
        ({"zone": None}, ["zone"]),
        ({"rrule": "FREQ=NEVER"}, ["rrule"]),
        ({"rrule": ""}, ["rrule"]),
        ({"until": "x"}, ["until"]),
        ({"start": "2026-03-02T00:00:00Z", "end": "2027-04-02T00:00:00Z", "rrule": "FREQ=DAILY"}, ["end"]),
    ],
)
def test_what_is_wrong_is_named_by_its_path(told: dict[str, Any], paths: list[str]) -> None:
    right = {} if "start" in told or not told else {"start": "2026-03-02T00:00:00Z", "end": "2026-03-02T01:00:00Z"}
    with pytest.raises(Invalid) as refused:
        window(right | told, "body.windows[3]")
    assert [one["path"] for one in refused.value.extra["errors"]] == [f"body.windows[3].{path}" for path in paths]


def test_expansion_is_bounded() -> None:
    daily = told("1970-01-01T00:00:00Z", "1970-01-01T01:00:00Z", rrule="FREQ=DAILY")
    assert len(daily.intervals((0, 365 * DAY))) == 365
    far = parse("2499-01-01T00:00:00Z")
    assert daily.intervals((far, far + DAY)) == ((far, far + HOUR),), "however long ago it began"
    with pytest.raises(Invalid) as refused:
        daily.intervals((0, far))
    assert refused.value.extra["errors"][0]["path"] == "rrule"
    with pytest.raises(Invalid):
        expand([daily], (0, 11 * DAY), most=10)
    assert len(expand([daily], (0, 10 * DAY), most=10)) == 10
    assert len(told("1970-01-01T00:00:00Z", "2400-01-01T00:00:00Z").intervals((0, far))) == 1


ZONES = (
    "UTC",
    BERLIN,
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2024, 1, 1), datetime(2024, 12, 1)),  # noqa: DTZ001  by the clock on the wall
    st.integers(1, 30 * 60),
    st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    st.integers(0, 300),
)
def test_against_the_clock_looked_at_minute_by_minute(
    name: str, first: datetime, length: int, days: set[str], later: int
) -> None:
    """On days without a change of the clock nearby: at every minute, what the clock shows decides."""
    zone = ZoneInfo(name)
    first = first.replace(second=0, microsecond=0)
    start = of_moment(first.replace(tzinfo=zone).astimezone(UTC))
    shown = datetime.fromtimestamp(start / 1000, zone).replace(tzinfo=None)
    end = of_moment((shown + timedelta(minutes=length)).replace(tzinfo=zone).astimezone(UTC))
    if end <= start:
        return
    length = int((datetime.fromtimestamp(end / 1000, zone).replace(tzinfo=None) - shown) / timedelta(minutes=1))
    one = Window(start, end, f"FREQ=DAILY;BYDAY={','.join(sorted(days))}", name)
    begin = start + later * DAY
    found = expand([one], (begin, begin + DAY))
    spot = set()
    offsets = {datetime.fromtimestamp((begin + at * HOUR) / 1000, zone).utcoffset() for at in range(-60, 60)}
    if len(offsets) > 1:
        return
    for at in range(begin, begin + DAY, 7 * MINUTE):
        clock = datetime.fromtimestamp(at / 1000, zone).replace(tzinfo=None)
        for back in range(length // 1440 + 2):
            day = clock.date() - timedelta(days=back)
            opens = datetime.combine(day, shown.time())
            if (
                opens >= shown
                and WEEKDAYS[day.weekday()] in days
                and opens <= clock < opens + timedelta(minutes=length)
            ):
                spot.add(at)
    assert spot == {at for at in range(begin, begin + DAY, 7 * MINUTE) if any(a <= at < b for a, b in found)}


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**5)), max_size=20), st.integers(0, 10**6))
def test_of_windows_that_come_once(told: list[tuple[int, int]], start: int) -> None:
    windows = [Window(a, a + length) for a, length in told]
    within = (start, start + 200_000)
    inside = [(max(one.start, within[0]), min(one.end, within[1])) for one in windows]
    assert expand(windows, within) == normalise(inside)


def booked(seed: int, count: int) -> list[Window]:
    """Windows as a year of changes has them: most come once, some every week or night, in several zones."""
    random = Random(seed)
    made = []
    for _ in range(count):
        start = parse("2026-01-01T00:00:00Z") + random.randrange(365 * 24) * HOUR
        end = start + random.choice([15, 60, 240, 480]) * MINUTE
        rule = random.choice([None] * 6 + ["FREQ=WEEKLY;INTERVAL=2", "FREQ=DAILY;COUNT=10", "FREQ=MONTHLY;BYDAY=1SU"])
        made.append(Window(start, end, rule, random.choice(ZONES)))
    return made


def test_two_thousand_booked_windows_overlap_as_if_each_pair_were_looked_at() -> None:
    windows = booked(1, 2000)
    mine = told("2026-06-06T22:00:00+02:00", "2026-06-07T06:00:00+02:00", rrule="FREQ=WEEKLY", zone=BERLIN)
    period = (parse("2026-06-01T00:00:00Z"), parse("2026-08-01T00:00:00Z"))
    nights = mine.intervals(period)
    assert len(nights) == 8
    found = {place for place, one in enumerate(windows) if intersection(one.intervals(period), nights)}
    naive = {
        place
        for place, one in enumerate(windows)
        for start, end in one.occurrences((0, period[1]))
        if any(start < b and a < end for a, b in nights)
    }
    assert found == naive and 50 < len(found) < 1000
    busy = expand(windows, period)
    slot = next((start for start, end in difference(nights, busy) if end - start >= 2 * HOUR), None)
    starts = [at for a, b in nights for at in range(a, b - 2 * HOUR + 1, 15 * MINUTE)]
    fits = [at for at in starts if not any(a < at + 2 * HOUR and at < b for a, b in busy)]
    assert slot == (fits[0] if fits else None)
