"""What breaks, as a report: services first, then CIs, then what holds but has less left."""

from __future__ import annotations

from collections.abc import Iterable

from cmdb_server.answers.graphml import cell
from cmdb_server.answers.impact import Affected, ImpactAnswer
from cmdb_server.answers.render.report import (
    Cell,
    Report,
    Row,
    Section,
    arithmetic,
    asked_of,
    called,
    counted,
    left_out,
    marked,
    name,
    ranked,
    way,
)
from cmdb_server.answers.told import Named
from cmdb_server.answers.what_if import Supposed

FEW = 3


def impact_report(answer: ImpactAnswer) -> Report:
    """Of an answer about impact."""
    return Report(title(answer), _verdict(answer), tuple(_facts(answer)), (
        _supposed(answer.supposed), _services(answer), _cis(answer), _redundancy(answer),
        *(_named(*told) for told in (
            ("Second path lost", answer.second_path_lost, answer.more["second_path_lost"]),
            ("Uncertain: may be affected or not", answer.uncertain, answer.more["uncertain"]),
            ("To be scanned, to be certain", answer.scan_next, 0),
        )),
    ))  # fmt: skip


def title(answer: ImpactAnswer) -> str:
    """Names the failed, as long as they are few."""
    if len(answer.failed) > FEW:
        return f"What breaks if {len(answer.failed)} CIs fail together"
    verb = "fails" if len(answer.failed) == 1 else "fail together"
    return f"What breaks if {', '.join(map(called, answer.failed))} {verb}"


def _verdict(answer: ImpactAnswer) -> str:
    states = answer.counts["by_state"]
    if not states:
        held = len(answer.redundancy_lost) + answer.more["redundancy_lost"]
        return "Nothing else breaks" + (f"; {held} gates lose redundancy and hold." if held else ".")
    services = len(answer.services) + answer.more["services"]
    return f"{counted(states)}; {services} of them services."


def _facts(answer: ImpactAnswer) -> Iterable[tuple[str, Cell]]:
    yield "Fails", ", ".join(map(called, answer.failed))
    if answer.not_impacted:
        yield "Held to stay up", ", ".join(map(called, answer.not_impacted))
    yield from asked_of(answer.revision, answer.at, answer.known_at)
    if answer.counts["by_class"]:
        yield "Affected, by class", counted(answer.counts["by_class"])
    proof = answer.certificate
    yield "Certificate", f"{proof.claims} claims and {proof.gates_held} gates that hold, at revision {proof.revision}"


def _supposed(edits: tuple[Supposed, ...]) -> Section:
    """What was asked is not the graph as it is."""
    rows = tuple(Row((one.edit, called(one.ci), *_edited(one))) for one in edits)
    return Section("Supposed, though it is not so", ("Edit", "CI", "Relation", "To", "Gate"), rows)


def _edited(one: Supposed) -> tuple[Cell, ...]:
    gate = cell(one.gate) or "none of its own" if one.edit == "gate" else ""
    return one.relation or "", called(one.to) if one.to else "", gate


def _services(answer: ImpactAnswer) -> Section:
    columns = ("State", "Service", "Class", "Criticality", "Owner", "Hops", "Why")
    rows = tuple(
        _affected(one.affected, ranked(one.criticality), ranked(one.owner)) for one in answer.services
    )  # fmt: skip
    return Section("Services", columns, rows, left_out(answer.more["services"], "services"))


def _cis(answer: ImpactAnswer) -> Section:
    rows = tuple(_affected(one) for one in answer.cis)
    return Section("CIs", ("State", "CI", "Class", "Hops", "Why"), rows, left_out(answer.more["cis"], "CIs"))


def _affected(one: Affected, *more: str) -> Row:
    cells: tuple[Cell, ...] = (
        marked(one.state),
        name(one.ci),
        one.ci.class_ or "",
        *more,
        str(one.hops),
        way(one.path),
    )
    return Row(cells, one.state)


def _redundancy(answer: ImpactAnswer) -> Section:
    columns = ("CI", "Class", "Gate", "May lose", "Still held by")
    rows = tuple(
        Row((
            name(one.ci), one.ci.class_ or "", arithmetic(one.gate), f"{one.gate.margin} more",
            ", ".join(map(name, one.holding)),
        ))
        for one in answer.redundancy_lost
    )  # fmt: skip
    return Section("Redundancy lost", columns, rows, left_out(answer.more["redundancy_lost"], "gates"))


def _named(heading: str, cis: tuple[Named, ...], more: int) -> Section:
    rows = tuple(Row((name(ci), ci.class_ or "", ci.id)) for ci in cis)
    return Section(heading, ("CI", "Class", "Id"), rows, left_out(more, "CIs"))
