"""What stands on what, as reports."""

from __future__ import annotations

from collections.abc import Iterable

from cmdb_server.answers.paths import PathAnswer
from cmdb_server.answers.render.report import (
    Report,
    Row,
    Section,
    arithmetic,
    asked_of,
    called,
    left_out,
    name,
    ranked,
)
from cmdb_server.answers.requires import RequiresAnswer
from cmdb_server.answers.services import ServicesAnswer
from cmdb_server.answers.single_points import FatalPair, SinglePointsAnswer
from cmdb_server.answers.told import Named


def requires_report(answer: RequiresAnswer) -> Report:
    """What a CI stands on."""
    total = len(answer.items) + answer.more
    verdict = f"{total} CIs" + (f"; {answer.stuck} need one another to start from cold." if answer.stuck else ".")
    rows = tuple(
        Row((str(one.hops), name(one.ci), one.ci.class_ or "", "needs others first" if one.cannot_start_cold else ""))
        for one in answer.items
    )
    section = Section("Stands on", ("Hops", "CI", "Class", "Cold start"), rows, left_out(answer.more, "CIs"))
    return Report(f"What {called(answer.ci)} stands on", verdict, asked_of(answer.revision), (section,))


def services_report(answer: ServicesAnswer) -> Report:
    """The services above a CI."""
    columns = ("Hops", "Service", "Class", "Criticality", "Owner", "By way of")
    rows = tuple(
        Row((
            str(one.hops), name(one.ci), one.ci.class_ or "", ranked(one.criticality), ranked(one.owner),
            tuple(called(step.ci) for step in one.path),
        ))
        for one in answer.items
    )  # fmt: skip
    section = Section("Services", columns, rows, left_out(answer.more, "services"))
    title, total = f"Services that stand on {called(answer.ci)}", len(answer.items) + answer.more
    return Report(title, f"{total} services.", asked_of(answer.revision), (section,))


def path_report(answer: PathAnswer) -> Report:
    """The way from a provider to a consumer."""
    rows = tuple(
        Row((name(step.ci), step.ci.class_ or "", "" if step.gate is None else arithmetic(step.gate)))
        for step in answer.steps
    )
    verdict = f"{len(rows) - 1} gates lie between." if rows else "There is no way."
    title = f"How a failure of {called(answer.from_)} can reach {called(answer.to)}"
    return Report(title, verdict, asked_of(answer.revision), (Section("Way", ("CI", "Class", "By the gate"), rows),))


def single_points_report(answer: SinglePointsAnswer) -> Report:
    """What takes a CI down alone, or in pairs."""
    total = len(answer.items) + answer.more
    alone = Section(
        "Down with any of these alone", ("CI", "Class", "Id"),
        tuple(Row((name(one), one.class_ or "", one.id)) for one in answer.items),
        left_out(answer.more, "single points"),
    )  # fmt: skip
    pairs = Section("Down with both", ("Any of", "Together with any of"), tuple(_pairs(answer.pairs or ())),
                    left_out(answer.pairs_more, "pairs") or _tried(answer))  # fmt: skip
    verdict = f"{total} of the {answer.below} CIs below take it down alone."
    title = f"Single points of failure of {called(answer.ci)}"
    return Report(title, verdict, asked_of(answer.revision), (alone, pairs))


def _tried(answer: SinglePointsAnswer) -> str:
    if not answer.pairs_complete:
        return "not all pairs were tried"
    return "no pair is fatal" if answer.pairs == () else ""


def _pairs(pairs: Iterable[FatalPair]) -> Iterable[Row]:
    for pair in pairs:
        yield Row((_any_of(pair.one, pair.one_more), _any_of(pair.other, pair.other_more)))


def _any_of(cis: tuple[Named, ...], more: int) -> str:
    return ", ".join((*map(called, cis), *([f"{more} more"] if more else [])))
