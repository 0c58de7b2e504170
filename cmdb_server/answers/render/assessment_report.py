"""The assessment of a change as a report: what a change manager attaches to the ticket."""

from __future__ import annotations

from collections.abc import Iterable

from cmdb_server.answers.changes.assessment import Assessment
from cmdb_server.answers.changes.overlaps import CollisionTold, Overlap
from cmdb_server.answers.render.impact_report import impact_sections
from cmdb_server.answers.render.report import Cell, Report, Row, Section, asked_of, called, during, listed, marked, name
from cmdb_server.answers.told import moment


def assessment_report(answer: Assessment) -> Report:
    """Of an assessment."""
    return Report(f"Assessment of {answer.number}", _verdict(answer), tuple(_facts(answer)), (
        _approvals(answer), _collisions(answer), _overlaps(answer.overlaps), _freezes(answer), _risk(answer),
        *(impact_sections(answer.impact) if answer.impact else ()),
    ))  # fmt: skip


def _verdict(answer: Assessment) -> str:
    told = [f"Risk {answer.risk.score} of 100, {answer.risk.band.replace('_', ' ')}"]
    told += [f"{len(answer.approvals)} services are hit" if answer.approvals else "no service is hit"]
    told += ["it is fatal together with what else is booked"] if answer.collisions else []
    told += ["it lies in a freeze"] if answer.conditions.freezes else []
    told += ["it departs from its template"] if answer.template_faults else []
    return f"{'; '.join(told)}."


def _facts(answer: Assessment) -> Iterable[tuple[str, Cell]]:
    yield "Change", f"{answer.number}, version {answer.version}"
    yield "Assessed at", moment(answer.assessed_at) or ""
    yield from asked_of(answer.revision)
    yield "When", during(answer.spans, 5)
    share = answer.conditions.in_windows
    if share is not None:
        yield "In maintenance windows", f"{share:.0%} of its time ({', '.join(answer.conditions.windows)})"
    if answer.conditions.outside and share is not None:
        yield "Outside of them", during(answer.conditions.outside)
    for fault in answer.template_faults:
        yield "Departs from its template", fault


def _approvals(answer: Assessment) -> Section:
    rows = tuple(
        Row(
            (
                marked(one.state),
                name(one.service),
                one.service.class_ or "",
                ", ".join(one.with_),
                one.owner or "any approver",
            ),
            one.state,
        )
        for one in answer.approvals
    )
    return Section(
        "Services hit, and who approves", ("State meanwhile", "Service", "Class", "Only with", "Approves"), rows
    )


def _collisions(answer: Assessment) -> Section:
    columns = ("Fatal together with", "When", "Down of both only", "Where they meet")
    return Section("Collisions", columns, tuple(Row(_collision(one)) for one in answer.collisions))


def _collision(one: CollisionTold) -> tuple[Cell, ...]:
    meetings = tuple(f"{called(met.ci)}: {met.text}, with {', '.join(met.numbers)}" for met in one.meetings)
    return ", ".join(one.numbers), during(one.spans), listed(one.together, one.more), meetings or ""


def _overlaps(overlaps: tuple[Overlap, ...]) -> Section:
    columns = ("Number", "Kind", "State", "What", "When", "Same CIs", "Its providers", "Its consumers", "Same people")
    rows = tuple(
        Row((
            one.number, one.kind, one.state, one.summary, during(one.spans), listed(one.same), listed(one.providers),
            listed(one.consumers), ", ".join(one.people),
        ))
        for one in overlaps
    )  # fmt: skip
    return Section("Booked at the same time, close by", columns, rows)


def _freezes(answer: Assessment) -> Section:
    rows = tuple(
        Row((one.number, one.summary, during(one.spans), "yes" if one.emergencies else "no"))
        for one in answer.conditions.freezes
    )
    return Section("Freezes", ("Number", "What", "When", "Lets emergencies through"), rows)


def _risk(answer: Assessment) -> Section:
    rows = tuple(Row((f"{one.points:.1f}", one.name.replace("_", " "), one.why)) for one in answer.risk.terms)
    return Section("Risk", ("Points", "Term", "Counted"), rows)
