"""Impact over time, as a report."""

from __future__ import annotations

from cmdb_server.answers.intervals import AffectedOverTime, IntervalsAnswer
from cmdb_server.answers.render.impact_report import minutes
from cmdb_server.answers.render.report import (
    Cell,
    Report,
    Row,
    Section,
    asked_of,
    counted,
    during,
    left_out,
    listed,
    name,
    ranked,
)
from cmdb_server.answers.told import moment

MINUTE_MS = 60_000


def intervals_report(answer: IntervalsAnswer) -> Report:
    """Of an answer over a time."""
    columns = ("Service", "Class", "Criticality", "Owner", "Minutes left", "Down for", "Down", "Degraded")
    services = tuple(
        Row((*_ci(one.affected), ranked(one.criticality), ranked(one.owner), minutes(one.level), *_times(one.affected)))
        for one in answer.services
    )
    cis = tuple(Row((*_ci(one), *_times(one))) for one in answer.cis)
    pieces = tuple(
        Row((f"{moment(one.start)} to {moment(one.end) or 'open'}", listed(one.failed), counted(one.by_state)))
        for one in answer.pieces
    )
    total = len(answer.services) + answer.more.get("services", 0)
    title = f"What breaks from {moment(answer.start)} to {moment(answer.end) or 'open'}"
    return Report(title, f"{total} services are hit.", asked_of(answer.revision), (
        Section("Services", columns, services, left_out(answer.more.get("services", 0), "services")),
        Section("CIs", ("CI", "Class", "Down for", "Down", "Degraded"), cis, left_out(answer.more.get("cis", 0), "CIs")),
        Section("Piece by piece", ("When", "Fail", "Affected"), pieces, left_out(answer.more.get("pieces", 0), "pieces")),
    ))  # fmt: skip


def _ci(one: AffectedOverTime) -> tuple[Cell, ...]:
    return name(one.ci), one.ci.class_ or ""


def _times(one: AffectedOverTime) -> tuple[Cell, ...]:
    long = "no end known" if one.down_ms is None else f"{one.down_ms / MINUTE_MS:g} minutes" if one.down_ms else ""
    return long, during(one.down), during(one.degraded)
