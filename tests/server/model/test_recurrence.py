"""RRULEs: what is read, what is refused, and in time."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from cmdb_server.model.recurrence import check, starts

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 22, 0)  # noqa: DTZ001  the clock on the wall
FAR = MONDAY + timedelta(days=36_000)


def days(text: str, count: int = 4) -> list[str]:
    check(text, MONDAY, BERLIN)
    return [f"{start:%m-%d}" for start in islice(starts(text, MONDAY, BERLIN, FAR), count)]


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
    ],
)
def test_rules(text: str, found: list[str]) -> None:
    assert days(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "FREQ=", "FREQ=HOURLY", "FREQ=SECONDLY", "INTERVAL=2", "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;",
        "FREQ=DAILY;BYHOUR=3", "FREQ=DAILY;BYEASTER=1", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=x",
        "FREQ=DAILY;COUNT=-1", "FREQ=DAILY;COUNT=2;UNTIL=20270101", "FREQ=DAILY;UNTIL=soon", "FREQ=DAILY;UNTIL=20269999",
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
    assert next(starts("FREQ=DAILY", first, BERLIN, FAR)) == first
