"""Booked times as an iCalendar (RFC 5545), which every calendar reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from icalendar import Calendar, Event

from cmdb_schemas.visible import visible
from cmdb_server.answers.schedule import ScheduleAnswer, Scheduled
from cmdb_server.model.instants import moment

Status = Literal["TENTATIVE", "CONFIRMED", "CANCELLED"]
DOMAIN = "cmdb"
MOST_ENTRIES = 2000
BACKSLASH = "\N{REVERSE SOLIDUS OPERATOR}"
"""What stands for one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One time in a calendar: [start, end) in ms. ``uid``: the same as long as it is the same time of the same thing;
    ``sequence`` rises with each version of it, made at ``changed_at`` (ms). ``description``: lines."""

    uid: str
    start: int
    end: int
    summary: str
    status: Status
    categories: tuple[str, ...]
    description: tuple[str, ...]
    sequence: int
    changed_at: int


def calendar(entries: Iterable[Entry], name: str, remark: str = "") -> str:
    """The entries as one calendar. ``remark``: what is to be known of all of it."""
    made = Calendar()
    made.add("prodid", "-//CMDB//schedule//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", _text(name))
    if remark:
        made.add("x-wr-caldesc", _text(remark))
    for entry in entries:
        made.add_component(_event(entry))
    written: bytes = made.to_ical()
    return written.decode()


def ics(answer: ScheduleAnswer) -> str:
    """A schedule as a calendar."""
    of = " ".join(
        word for word in (answer.service and (answer.service.name or answer.service.id), answer.owner) if word
    )
    entries = [entry for one in answer.items for entry in _entries(one, answer.end)]
    left_out = f"{len(entries) - MOST_ENTRIES} times" if len(entries) > MOST_ENTRIES else ""
    told = [one for one in (f"{answer.more} things" if answer.more else "", left_out) if one]
    remark = f"not listed: {' and '.join(told)}" if told else ""
    return calendar(entries[:MOST_ENTRIES], f"Changes {of}".strip(), remark)


def _entries(one: Scheduled, horizon: int) -> Iterator[Entry]:
    services = ", ".join(
        f"{service.ci.name or service.ci.id} ({service.state})" for service in one.services
    )  # fmt: skip
    told = [f"{one.kind} {one.number}, {one.state}, by {one.subject}", f"effect: {one.effect}"]
    told += [f"services: {services}"] if services else []
    told += [f"{count} more {kind} not listed" for kind, count in one.more.items() if count]
    categories = tuple(word for word in (one.kind, one.type) if word)
    for span in one.spans:
        endless = ["its end is not known yet"] if span.end is None else []
        yield Entry(
            f"{one.number}-{span.start}@{DOMAIN}", span.start, max(horizon, span.start + 1) if span.end is None else span.end,
            f"{one.number} {one.summary}".strip(), "CONFIRMED", categories, (*told, *endless),
            one.version, one.changed_at,
        )  # fmt: skip


def _event(entry: Entry) -> Event:
    made = Event()
    made.add("uid", entry.uid)
    made.add("dtstamp", moment(entry.changed_at))
    made.add("last-modified", moment(entry.changed_at))
    # In whole seconds, which is as finely as calendars tell time, and never without length.
    made.add("dtstart", moment(entry.start // 1000 * 1000))
    made.add("dtend", moment(-(-entry.end // 1000) * 1000))
    made.add("summary", _text(entry.summary))
    made.add("status", entry.status)
    made.add("categories", [_text(one) for one in entry.categories])
    made.add("description", "\n".join(map(_text, entry.description)))
    made.add("sequence", entry.sequence)
    return made


def _text(text: str) -> str:
    """In one line, and without backslashes, on which writers and readers of the format do not agree."""
    return visible(text).replace("\\", BACKSLASH)
