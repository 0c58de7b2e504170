"""RRULEs: what is read, what is refused, and in time."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.model.recurrence import check, starts

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 22, 0)  # noqa: DTZ001  the clock on the wall
FAR = MONDAY + timedelta(days=36_000)


def days(text: str, count: int = 4) -> list[str]:
    check(text, MONDAY, BERLIN)
    return [f"{start:%m-%d}" for start in islice(starts(text, MONDAY, BERLIN, MONDAY, FAR), count)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FREQ=DAILY", ["03-02", "03-03", "03-04", "03-05"]),
        ("freq=weekly;byday=sa,su", ["03-07", "03-08", "03-14", "03-15"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", ["03-02", "03-16", "03-30", "04-13"]),
        ("FREQ=MONTHLY;BYDAY=2TU", ["03-10", "04-14", "05-12", "06-09"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ["03-31", "04-30", "05-29", "06-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["03-31", "05-31", "07-31", "08-31"]),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", ["12-24"] * 4),
        ("FREQ=DAILY;COUNT=2", ["03-02", "03-03"]),
        ("FREQ=DAILY;UNTIL=20260303", ["03-02", "03-03"]),
        ("FREQ=DAILY;UNTIL=20260303T210000Z", ["03-02", "03-03"]),
        ("FREQ=DAILY;UNTIL=20260303T205959Z", ["03-02"]),
        ("RRULE:FREQ=WEEKLY;WKST=MO;BYDAY=SA;BYHOUR=2,22;BYMINUTE=0;BYSECOND=0", ["03-07", "03-07", "03-14", "03-14"]),
        ("FREQ=YEARLY;BYYEARDAY=1,-1", ["12-31", "01-01", "12-31", "01-01"]),
        ("FREQ=DAILY;COUNT=2;BYHOUR=0", ["03-03", "03-04"]),
    ],
)
def test_rules(text: str, found: list[str]) -> None:
    assert days(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "FREQ=", "FREQ=HOURLY", "FREQ=SECONDLY", "INTERVAL=2", "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;",
        "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYMINUTE=60", "FREQ=DAILY;BYHOUR=-1", "FREQ=DAILY;BYEASTER=1",
        "FREQ=DAILY;BYMINUTE=" + ",".join(map(str, range(49))), "FREQ=MONTHLY;BYYEARDAY=3", "FREQ=YEARLY;BYWEEKNO=3",
        "FREQ=YEARLY;BYYEARDAY=0",
        "FREQ=YEARLY;BYMONTH=1;BYYEARDAY=200", "FREQ=YEARLY;INTERVAL=8;BYMONTH=2;BYMONTHDAY=29;COUNT=3", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=x",
        "FREQ=DAILY;COUNT=-1", "FREQ=DAILY;COUNT=10001", "FREQ=DAILY;COUNT=2;UNTIL=20270101", "FREQ=DAILY;UNTIL=soon", "FREQ=DAILY;UNTIL=20269999",
        "FREQ=DAILY;UNTIL=20200101", "FREQ=MONTHLY;BYDAY=XX", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYSETPOS=2", "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=DAILY\nRRULE:FREQ=DAILY", "DTSTART:19970902T090000\nRRULE:FREQ=DAILY", "FREQ=DAILY;" + "X" * 600,
        "FREQ=MONTHLY;BYDAY=99MO", None, 5, ["FREQ=DAILY"],
    ],
)  # fmt: skip
def test_what_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        check(text, MONDAY, BERLIN)


def test_parts_of_a_second_are_kept() -> None:
    first = MONDAY + timedelta(milliseconds=250)
    assert next(starts("FREQ=DAILY", first, BERLIN, MONDAY, FAR)) == first


parts = st.sampled_from(
    [
        "FREQ=DAILY", "FREQ=DAILY;BYDAY=MO,FR", "FREQ=DAILY;BYMONTH=2,7;BYMONTHDAY=-1,15", "FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=SU,WE", "FREQ=WEEKLY;BYDAY=SU,MO;WKST=SU", "FREQ=WEEKLY;BYDAY=MO,TU,FR;BYSETPOS=2",
        "FREQ=MONTHLY", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYDAY=2TU,-1FR", "FREQ=MONTHLY;BYMONTH=3,5",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1,1", "FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=3", "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=DAILY;BYHOUR=3,22", "FREQ=WEEKLY;BYDAY=TU;BYHOUR=0;BYMINUTE=15,45", "FREQ=MONTHLY;BYHOUR=5",
        "FREQ=YEARLY;BYYEARDAY=-1,60",
        "FREQ=YEARLY;BYMONTHDAY=13", "FREQ=YEARLY;BYMONTH=2,10;BYDAY=SU;BYSETPOS=-1", "FREQ=YEARLY;BYDAY=WE;BYMONTH=1",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    parts, st.integers(1, 5), st.sampled_from(["", ";COUNT=60", ";UNTIL=20290601"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2024, 12, 31)), st.integers(-100, 4000),  # noqa: DTZ001
)  # fmt: skip
def test_from_any_day_on_it_is_what_it_would_be_from_its_first(
    text: str, interval: int, end: str, first: datetime, later: int
) -> None:
    """The library goes through all times since the first; here most are left out."""
    first = first.replace(microsecond=0)
    rule = f"{text};INTERVAL={interval}{end}"
    since = first + timedelta(days=later)
    until = since + timedelta(days=800)
    whole = rrulestr(rule, dtstart=first)
    wanted = [one for one in takewhile(lambda one: one <= until, whole) if one >= since]
    if end.startswith(";UNTIL"):
        wanted = [one for one in wanted if one < datetime(2029, 6, 1)]  # noqa: DTZ001  the day counts in whole here
    found = list(starts(rule, first, BERLIN, since, until))
    if end.startswith(";UNTIL"):
        found = [one for one in found if one < datetime(2029, 6, 1)]  # noqa: DTZ001
    assert found == wanted
