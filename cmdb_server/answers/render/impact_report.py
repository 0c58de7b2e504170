"""What breaks, as a report: services first, then CIs, then what holds but has less left."""

from __future__ import annotations

from collections.abc import Iterable

from cmdb_server.answers.also import ContextTold
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
    during,
    left_out,
    listed,
    marked,
    name,
    ranked,
    way,
)
from cmdb_server.answers.service_levels import ServiceLevelTold
from cmdb_server.answers.told import Named
from cmdb_server.answers.what_if import Supposed

FEW = 3


def impact_report(answer: ImpactAnswer) -> Report:
    """Of an answer about impact."""
    return Report(title(answer), _verdict(answer), tuple(_facts(answer)), (
        supposed(answer.supposed), *impact_sections(answer), *(_context(answer.context) if answer.context else ()),
    ))  # fmt: skip


def impact_sections(answer: ImpactAnswer) -> tuple[Section, ...]:
    """Who is hit, and what holds."""
    return (
        _services(answer), _cis(answer), _redundancy(answer), _partitioned(answer),
        *(_named(*told) for told in (
            ("Second path lost", answer.second_path_lost, answer.more["second_path_lost"]),
            ("May be cut off: no gateway is known", answer.gateway_unknown, answer.more["gateway_unknown"]),
            ("Uncertain: may be affected or not", answer.uncertain, answer.more["uncertain"]),
            ("To be scanned, to be certain", answer.scan_next, 0),
        )),
    )  # fmt: skip


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


def supposed(edits: tuple[Supposed, ...]) -> Section:
    """What was asked is not the graph as it is."""
    rows = tuple(Row((one.edit, called(one.ci), *_edited(one))) for one in edits)
    return Section("Supposed, though it is not so", ("Edit", "CI", "Relation", "To", "Gate"), rows)


def _edited(one: Supposed) -> tuple[Cell, ...]:
    gate = cell(one.gate) or "none of its own" if one.edit == "gate" else ""
    return one.relation or "", called(one.to) if one.to else "", gate


def _services(answer: ImpactAnswer) -> Section:
    columns = ("State", "Service", "Class", "Criticality", "Owner", "Minutes left", "Hops", "Why")
    rows = tuple(
        _affected(one.affected, ranked(one.criticality), ranked(one.owner), minutes(one.level))
        for one in answer.services
    )  # fmt: skip
    return Section("Services", columns, rows, left_out(answer.more["services"], "services"))


def minutes(level: ServiceLevelTold | None) -> str:
    """How long it may still be down, by what was agreed."""
    if level is None:
        return ""
    after = "" if level.minutes_left_after is None else f", {level.minutes_left_after:g} after this"
    return f"{level.minutes_left:g} of {level.minutes:g}{after}"


def _context(told: ContextTold) -> tuple[Section, ...]:
    """What else is booked or open, and what comes of both."""
    others = tuple(
        Row((one.number, one.kind, one.state, one.summary, during(one.spans), listed(one.cis))) for one in told.others
    )  # fmt: skip
    met = tuple(
        Row((called(one.ci), arithmetic(one.gate) if one.gate else "its ways in the network", ", ".join(one.with_) + (" (all of them)" if one.minimal_group else "")))
        for one in told.meeting_points
    )  # fmt: skip
    parts = (
        ("Down already, by what else is booked or open", "already", told.already), ("Down by this alone", "alone", told.alone),
        ("Down anyway, of either", "anyway", told.anyway), ("Down of both together only", "together", told.together),
    )  # fmt: skip
    return (
        Section("Booked or open besides", ("Number", "Kind", "State", "What", "When", "CIs"), others),
        *(_named(heading, cis, told.counts[part] - len(cis)) for heading, part, cis in parts),
        Section("Where both meet", ("CI", "Gate", "Fatal with"), met),
    )


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
    columns = ("CI", "Class", "Gate", "Lost", "May lose", "Still held by")
    rows = tuple(
        Row((
            name(one.ci), one.ci.class_ or "", arithmetic(one.gate), listed(one.gone), f"{one.gate.margin} more",
            ", ".join(map(name, one.holding)),
        ))
        for one in answer.redundancy_lost
    )  # fmt: skip
    return Section("Redundancy lost", columns, rows, left_out(answer.more["redundancy_lost"], "gates"))


def _partitioned(answer: ImpactAnswer) -> Section:
    rows = tuple(Row((called(one.consumer), one.relation, called(one.provider))) for one in answer.partitioned)
    more = left_out(answer.more["partitioned"], "dependencies")
    return Section("No way left through the network", ("CI", "Relation", "To"), rows, more)


def _named(heading: str, cis: tuple[Named, ...], more: int) -> Section:
    rows = tuple(Row((name(ci), ci.class_ or "", ci.id)) for ci in cis)
    return Section(heading, ("CI", "Class", "Id"), rows, left_out(more, "CIs"))
