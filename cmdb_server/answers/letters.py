"""What owners are told when something is planned, down or not as expected that their services stand on: each of their
own alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cmdb_server.answers.changes.shortfall import Shortfall
from cmdb_server.answers.directory import address_of
from cmdb_server.answers.impact import AffectedService
from cmdb_server.answers.render.html import html
from cmdb_server.answers.render.plain_text import plain_text
from cmdb_server.answers.render.report import Cell, Report, Row, Section, called, left_out, marked, name, ranked, way
from cmdb_server.answers.spans import Span
from cmdb_server.answers.told import moment
from cmdb_server.notify.mail import Letter

FEW = 5
UNKNOWN = "unknown"
"""The effect of what nobody told of."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to what is kept: ``number`` at ``version`` by ``transition``. ``spans``: when its CIs are down, the
    first ones. ``change``: the number of that of which it tells, with the ``shortfall`` that it left."""

    number: str
    version: int
    kind: str
    transition: str
    state: str
    summary: str
    subject: str
    note: str = ""
    effect: str = ""
    spans: tuple[Span, ...] = ()
    change: str = ""
    shortfall: Shortfall | None = None


def recipients(services: Iterable[AffectedService], known: Mapping[str, str]) -> dict[str, tuple[AffectedService, ...]]:
    """By address: the services of the owners reached there, as they are ordered. Who has no address is left out."""
    found: dict[str, list[AffectedService]] = {}
    for one in services:
        if (address := address_of(one.owner, known)) is not None:
            found.setdefault(address, []).append(one)
    return {address: tuple(theirs) for address, theirs in found.items()}


def letter(event: Event, address: str, theirs: Sequence[AffectedService]) -> Letter:
    """What one recipient is told."""
    report = notice(event, theirs)
    id_ = f"{event.number} {event.version} {address}"
    title = f"{report.title} ({_names(theirs)})" if theirs else report.title
    return Letter(address, title, plain_text(report), html(report), id_, event.change or event.number)


def notice(event: Event, theirs: Sequence[AffectedService]) -> Report:
    """The report that a letter bears."""
    title = f"{event.change or event.number} {event.transition if event.change else event.state}"
    columns = ("State meanwhile", "Service", "Criticality", "Why")
    rows = tuple(_row(event, one) for one in theirs)
    return Report(
        f"{title}: {event.summary or event.kind}", _verdict(event, theirs), tuple(_facts(event)),
        (*_differs(event), Section("Your services", columns, rows)),
    )  # fmt: skip


def _verdict(event: Event, theirs: Sequence[AffectedService]) -> str:
    if not theirs:
        return f"{event.change} did not leave what was expected of it."
    hit = f"{len(theirs)} of your services stand on what it touches" if len(theirs) > 1 else (
        "One of your services stands on what it touches"
    )  # fmt: skip
    return f"{hit}: {_names(theirs)}."


def _differs(event: Event) -> Iterable[Section]:
    if event.shortfall is not None:
        rows = tuple(Row(row) for row in event.shortfall.rows)
        yield Section("What differs", ("", "What"), rows, left_out(event.shortfall.more, "differences"))


def _row(event: Event, one: AffectedService) -> Row:
    """Of what is only degraded, or not known to be, the ways are told without the states that they would have."""
    path, state = one.affected.path, one.affected.state
    why = way(path)
    if event.effect in ("degraded", UNKNOWN):
        state, why = event.effect, tuple(called(step.ci) for step in path)
    return Row((marked(state), name(one.affected.ci), ranked(one.criticality), why), state)


def _facts(event: Event) -> Iterable[tuple[str, Cell]]:
    yield "What", f"{event.kind} {event.number}, {event.state} ({event.transition})"
    yield "By", event.subject
    if event.effect and not event.change:
        yield "Effect on what it touches", event.effect
    for start, end in event.spans[:FEW]:
        yield "When", f"{moment(start)} to {moment(end) or 'not known yet'}"
    if len(event.spans) > FEW:
        yield "When", f"and {len(event.spans) - FEW} times more"
    if event.kind == "approval":
        yield "Your answer", f"cmdb kept move {event.number} approve (or reject, with --note)"
    if event.note:
        yield "Note", event.note


def _names(theirs: Sequence[AffectedService]) -> str:
    told = ", ".join(name(one.affected.ci) for one in theirs[:FEW])
    return told if len(theirs) <= FEW else f"{told} and {len(theirs) - FEW} more"
