"""The forward schedule as a report."""

from __future__ import annotations

from collections.abc import Iterable

from cmdb_server.answers.render.report import (
    Cell,
    Report,
    Row,
    Section,
    asked_of,
    called,
    during,
    left_out,
    listed,
    name,
    ranked,
)
from cmdb_server.answers.schedule import ScheduleAnswer, Scheduled
from cmdb_server.answers.told import moment


def schedule_report(answer: ScheduleAnswer) -> Report:
    """Of an answer about the schedule."""
    title = f"Schedule from {moment(answer.start)} to {moment(answer.end)}"
    total = len(answer.items) + answer.more
    columns = ("When", "Number", "Kind", "State", "What", "Touches", "Services, and their state meanwhile", "By")
    rows = tuple(Row(_cells(one)) for one in answer.items)
    section = Section("Booked, open and in force", columns, rows, left_out(answer.more, "things"))
    return Report(title, f"{total} things." if total else "Nothing.", tuple(_facts(answer)), (section,))


def _facts(answer: ScheduleAnswer) -> Iterable[tuple[str, Cell]]:
    if answer.service is not None:
        yield "Touching what this stands on", called(answer.service)
    if answer.owner is not None:
        yield "Touching services of", answer.owner
    yield from asked_of(answer.revision)


def _cells(one: Scheduled) -> tuple[Cell, ...]:
    services = [f"{name(service.ci)} {service.state}" for service in one.services]
    services += [f"{one.more['services']} more"] if one.more["services"] else []
    kind = f"{one.type} {one.kind}" if one.type else one.kind
    return (
        during(one.spans, more=one.more["spans"]), one.number, kind, one.state, ranked(one.summary),
        listed(one.cis, one.more["cis"]), ", ".join(services), one.subject,
    )  # fmt: skip
