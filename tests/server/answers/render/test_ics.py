"""Written calendars, read back by another reader of the format."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from cmdb_schemas.visible import visible
from cmdb_server.answers.render.ics import BACKSLASH, MOST_ENTRIES, Entry, calendar, ics
from cmdb_server.answers.schedule import ScheduleAnswer, Scheduled
from cmdb_server.answers.spans import SpanTold
from tests.hostile import NAMES

HOUR = 3_600_000
ENTRY = Entry("CHG1-0@cmdb", 0, HOUR, "CHG1 move", "CONFIRMED", ("change", "normal"), ("told",), 4, 1_700_000_000_000)


def events(text: str) -> list[Any]:
    return list(Calendar.from_ical(text).walk("VEVENT"))


def shown(text: str) -> str:
    return visible(text).replace("\\", BACKSLASH)


def scheduled(number: str, *spans: tuple[int, int | None], **more: Any) -> Scheduled:
    told = {"kind": "change", "type": "normal", "state": "scheduled", "summary": "move", "subject": "ann", "version": 4,
            "changed_at": 0, "effect": "full", "cis": (), "services": (), "more": {}, **more}  # fmt: skip
    return Scheduled(number, spans=tuple(SpanTold(*span) for span in spans), **told)


def answer(*items: Scheduled, more: int = 0) -> ScheduleAnswer:
    return ScheduleAnswer(7, 0, 100 * HOUR, None, None, items, more)


def test_an_entry_is_read_back() -> None:
    (found,) = events(calendar([ENTRY], "Changes"))
    assert (found["UID"], found["SUMMARY"], found["STATUS"], found["SEQUENCE"]) == (
        ENTRY.uid,
        "CHG1 move",
        "CONFIRMED",
        4,
    )
    assert found["DTSTART"].dt == datetime(1970, 1, 1, tzinfo=UTC)
    assert found["DTEND"].dt == datetime(1970, 1, 1, 1, tzinfo=UTC)
    assert found["DTSTAMP"].dt == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert [str(one) for one in found["CATEGORIES"].cats] == ["change", "normal"]


@settings(max_examples=50)
@given(NAMES, NAMES)
def test_hostile_texts_stay_texts(one: str, other: str) -> None:
    entry = Entry("u@cmdb", 0, 1, one, "TENTATIVE", (other,), (other,), 1, 0)
    text = calendar([entry, ENTRY], other, one)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n")) and "\n" not in text.replace("\r\n", "")
    whole: Any = Calendar.from_ical(text)
    first, second = whole.walk("VEVENT")
    assert (str(first["SUMMARY"]), str(whole["X-WR-CALNAME"])) == (shown(one), shown(other))
    assert second["SUMMARY"] == "CHG1 move"
    assert set(first) == set(second) and str(first["DESCRIPTION"]) == shown(other)


@given(st.integers(0, 10**13), st.integers(1, 10**7))
def test_no_time_is_without_length(start: int, length: int) -> None:
    (found,) = events(calendar([Entry("u", start, start + length, "", "CONFIRMED", ("a",), (), 0, 0)], "n"))
    assert found["DTSTART"].dt < found["DTEND"].dt
    assert found["DTSTART"].dt.timestamp() * 1000 <= start < start + length <= found["DTEND"].dt.timestamp() * 1000


def test_each_time_of_a_thing_is_an_event_with_an_id_of_its_own() -> None:
    found = events(
        ics(answer(scheduled("CHG1", (0, HOUR), (24 * HOUR, 25 * HOUR)), scheduled("OUT1", (0, None), kind="outage")))
    )
    assert [one["UID"] for one in found] == ["CHG1-0@cmdb", f"CHG1-{24 * HOUR}@cmdb", "OUT1-0@cmdb"]
    assert (
        "its end is not known yet" in found[2]["DESCRIPTION"] and found[2]["DTEND"].dt.timestamp() * 1000 == 100 * HOUR
    )
    again = events(ics(answer(scheduled("CHG1", (24 * HOUR, 25 * HOUR)))))
    assert again[0]["UID"] == found[1]["UID"]


def test_what_is_left_out_is_said() -> None:
    spans = [(number * HOUR, number * HOUR + 1) for number in range(MOST_ENTRIES + 5)]
    whole: Any = Calendar.from_ical(ics(answer(scheduled("CHG1", *spans), more=3)))
    assert len(whole.walk("VEVENT")) == MOST_ENTRIES
    assert whole["X-WR-CALDESC"] == "not listed: 3 things and 5 times"
    assert "X-WR-CALDESC" not in Calendar.from_ical(ics(answer()))
