"""RRULEs: what is refused, and when they come, against another implementation (dateutil) and against days counted by
hand where that one departs from RFC 5545."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.model import recurrence
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
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", ["05-11", "05-17", "05-15", "05-14"]),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO,SU", ["01-04", "01-10", "01-03", "01-09"]),
        ("FREQ=YEARLY;BYWEEKNO=53", ["12-28", "12-27", "12-28", "12-28"]),
        ("FREQ=YEARLY;BYWEEKNO=-1;WKST=SU;BYDAY=SU", ["12-27", "12-26", "12-24", "12-23"]),
        ("FREQ=MONTHLY;BYDAY=MO,2TU;COUNT=3", ["03-02", "03-09", "03-10"]),
        ("FREQ=WEEKLY;BYDAY=SU,MO,WE;BYSETPOS=2", ["03-04", "03-11", "03-18", "03-25"]),
    ],
)
def test_rules(text: str, found: list[str]) -> None:
    assert days(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "FREQ=", "FREQ=HOURLY", "FREQ=SECONDLY", "INTERVAL=2", "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;",
        "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYMINUTE=60", "FREQ=DAILY;BYHOUR=-1", "FREQ=DAILY;BYEASTER=1",
        "FREQ=DAILY;BYMINUTE=" + ",".join(map(str, range(49))), "FREQ=MONTHLY;BYYEARDAY=3", "FREQ=MONTHLY;BYWEEKNO=3",
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
    """The library goes through all times since the first; here most are left out. Of the first week it counts places
    from the first day on, where RFC 5545 counts them within the week: so it begins with the week."""
    first = first.replace(microsecond=0)
    if "WEEKLY" in text and "BYSETPOS" in text:
        first -= timedelta(days=first.weekday())
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


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=1;BYYEARDAY=200", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=YEARLY;BYMONTHDAY=30;BYYEARDAY=60", "FREQ=MONTHLY;BYMONTH=2;BYDAY=5MO;BYMONTHDAY=28",
        "FREQ=WEEKLY;BYMONTHDAY=1,15;BYSETPOS=2", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    ],
)  # fmt: skip
def test_what_never_comes_is_known_from_the_shapes_of_years(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """No more years are gone through than have all shapes, and no more days looked at than they have."""
    looked, years = [], []
    meant, shape = recurrence._meant, recurrence._shape
    monkeypatch.setattr(recurrence, "_meant", lambda days, day: looked.append(day) or meant(days, day))
    monkeypatch.setattr(recurrence, "_shape", lambda year: years.append(year) or shape(year))
    recurrence._offsets.cache_clear()
    with pytest.raises(ValueError, match="never comes"):
        check(text, MONDAY.replace(year=1971), BERLIN)
    assert len(looked) <= 28 * 366 and len(years) <= recurrence.ALL_SHAPES + 4


def test_so_many_years_have_all_shapes() -> None:
    everything = {recurrence._shape(year) for year in range(1600, 2000)}
    assert len(everything) == 28
    for first in range(1970, 2500):
        assert {recurrence._shape(year) for year in range(first, first + recurrence.ALL_SHAPES)} == everything


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    told = st.integers(low, high).filter(bool)
    return st.lists(told, min_size=1, max_size=3, unique=True).map(lambda found: ",".join(map(str, found)))


WORDS = st.lists(st.sampled_from(("MO", "TU", "WE", "TH", "FR", "SA", "SU")), min_size=1, max_size=4, unique=True)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Any that both have read: the other takes a plain day beside a counted one for days that are both."""
    freq = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    parts = {"FREQ": freq, "INTERVAL": str(draw(st.integers(1, 9)))}
    optional = {"BYMONTH": numbers(1, 12), "BYDAY": WORDS.map(",".join), "WKST": st.sampled_from(("MO", "SU", "WE"))}
    if freq != "WEEKLY":
        optional["BYMONTHDAY"] = numbers(-31, 31)
    if freq == "YEARLY":
        optional["BYYEARDAY"] = numbers(-366, 366)
    for name in draw(st.sets(st.sampled_from(sorted(optional)), max_size=3)):
        parts[name] = draw(optional[name])
    if freq in ("MONTHLY", "YEARLY") and draw(st.booleans()):
        most = 5 if freq == "MONTHLY" or "BYMONTH" in parts else 53
        parts["BYDAY"] = ",".join(f"{draw(st.sampled_from((1, -1, 2, most)))}{day}" for day in draw(WORDS))
    if draw(st.booleans()):
        parts["BYHOUR"] = draw(st.sampled_from(("2,14", "23")))
    if freq != "WEEKLY" and draw(st.integers(0, 3)) == 0:
        parts["BYSETPOS"] = draw(st.sampled_from(("1", "-1") if freq == "DAILY" else ("1", "-1", "2,-2", "3")))
    if draw(st.integers(0, 3)) == 0:
        parts["COUNT"] = str(draw(st.integers(1, 40)))
    return ";".join(f"{name}={value}" for name, value in parts.items())


@settings(max_examples=120, deadline=None)
@given(rules(), st.datetimes(datetime(2015, 1, 1), datetime(2028, 12, 31)))  # noqa: DTZ001
def test_any_rule_comes_when_another_implementation_says(text: str, first: datetime) -> None:
    first = first.replace(microsecond=0)
    until = first + timedelta(days=3000)
    told, _, count = text.partition(";COUNT=")
    endless = rrulestr(f"{told};UNTIL={until:%Y%m%dT%H%M%S}", dtstart=first)
    wanted = list(islice(endless, int(count or 100_000)))
    try:
        check(text, first, BERLIN)
    except ValueError as error:
        assert not wanted, error
        return
    assert list(starts(text, first, BERLIN, first, until)) == wanted


@settings(max_examples=40, deadline=None)
@given(
    numbers(-53, 53), st.sets(st.integers(0, 6), min_size=1), st.integers(0, 6), st.integers(1, 4),
    st.sampled_from(((), (1,), (12, 1), (5,))), st.dates(date(2015, 1, 1), date(2045, 12, 31)),
)  # fmt: skip
def test_weeks_of_the_year_are_those_that_have_most_of_their_days_in_it(
    weeks: str, weekdays: set[int], week_start: int, interval: int, months: tuple[int, ...], first: date
) -> None:
    names = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

    def week(day: date) -> tuple[int, int]:
        middle = day - timedelta(days=(day.weekday() - week_start) % 7) + timedelta(days=3)
        return middle.year, middle.timetuple().tm_yday // 7 + (middle.timetuple().tm_yday % 7 > 0)

    def meant(day: date) -> bool:
        year, number = week(day)
        last = max(week(date(year, 12, 25) + timedelta(days=more))[1] for more in range(4))
        told = {int(word) for word in weeks.split(",")}
        return (
            (number in told or number - last - 1 in told) and day.weekday() in weekdays
            and (not months or day.month in months) and (year - week(first)[0]) % interval == 0
        )  # fmt: skip

    rule = f"FREQ=YEARLY;INTERVAL={interval};BYWEEKNO={weeks};WKST={names[week_start]}"
    rule += f";BYDAY={','.join(names[day] for day in weekdays)}"
    rule += f";BYMONTH={','.join(map(str, months))}" if months else ""
    start, length = datetime.combine(first, datetime.min.time()), 1500
    found = [one.date() for one in starts(rule, start, BERLIN, start, start + timedelta(days=length))]
    assert found == [day for more in range(length + 1) if meant(day := first + timedelta(days=more))]
