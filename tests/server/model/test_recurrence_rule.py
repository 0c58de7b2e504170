"""What a rule tells, what it leaves to its first time, and what is refused in which words."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from cmdb_server.model.recurrence_rule import LAST, Rule, read

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 22, 15, 30, 250_000)  # noqa: DTZ001  the clock on the wall


def rule(text: str) -> Rule:
    return read(text, MONDAY, BERLIN)


def test_what_is_left_open_is_that_of_the_first_time() -> None:
    assert rule("FREQ=WEEKLY").days.weekdays == {(0, 0)} == rule("FREQ=YEARLY;BYWEEKNO=7").days.weekdays
    assert rule("FREQ=MONTHLY").days.month_days == {2} and not rule("FREQ=MONTHLY").days.months
    assert (rule("FREQ=YEARLY").days.months, rule("FREQ=YEARLY").days.month_days) == ({3}, {2})
    assert rule("FREQ=YEARLY;BYMONTH=5,6").days.months == {5, 6}
    assert not rule("FREQ=YEARLY;BYDAY=-2SU").days.month_days
    assert not rule("FREQ=DAILY").days.weekdays
    assert rule("FREQ=DAILY;BYHOUR=4,3").times == (time(3, 15, 30, 250_000), time(4, 15, 30, 250_000))
    assert (rule("FREQ=DAILY").until, rule("FREQ=DAILY").count, rule("FREQ=DAILY").interval) == (LAST, None, 1)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("20260331", "2026-03-31T23:59:59.999999"), ("20260331T220000", "2026-03-31T22:00:00.999999"),
        ("20260331T220000Z", "2026-04-01T00:00:00.999999"),
    ],
)  # fmt: skip
def test_its_end_is_by_the_clock_of_the_zone(text: str, last: str) -> None:
    assert rule(f"FREQ=DAILY;UNTIL={text}").until.isoformat() == last


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FREQ=DAILY;BYEASTER=1", "BYEASTER=1 is not read: BYDAY, BYHOUR"), ("FREQ=DAILY;COUNT=", "COUNT= is not read"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ is told twice"), ("FREQ=HOURLY", "FREQ must be one of DAILY"),
        ("FREQ=MONTHLY;BYWEEKNO=3", "BYWEEKNO is for FREQ=YEARLY"), ("FREQ=YEARLY;BYWEEKNO=54", "BYWEEKNO 54 is not"),
        ("FREQ=YEARLY;BYWEEKNO=0", "or 0"), ("FREQ=YEARLY;BYWEEKNO=3;BYDAY=1MO", "BYDAY 1MO is no day"),
        ("FREQ=WEEKLY;WKST=XX", "WKST XX is none of MO"), ("FREQ=DAILY;INTERVAL=1,2", "INTERVAL is one number"),
        ("FREQ=DAILY;UNTIL=20269999", "UNTIL 20269999 is no time"), ("FREQ=DAILY;UNTIL=soon", "UNTIL must be such as"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "exclude each other"), ("FREQ=WEEKLY;BYSETPOS=8", "has 7 times at most"),
        ("FREQ=DAILY;BYMINUTE=" + ",".join(map(str, range(49))), "comes 49 times a day: at most 48"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never comes: these months have no such day"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rule(text)
