"""Two answers about impact, compared, as a report."""

from __future__ import annotations

from collections.abc import Iterable

from cmdb_server.answers.compare import Changed, Comparison, GateChanged, SideTold
from cmdb_server.answers.render.impact_report import supposed
from cmdb_server.answers.render.report import (
    Cell,
    Report,
    Row,
    Section,
    asked_of,
    called,
    counted,
    left_out,
    marked,
    name,
    ranked,
)
from cmdb_server.answers.told import GateTold


def comparison_report(answer: Comparison) -> Report:
    """Of a comparison."""
    columns = ("Change", "Before", "After", "Service", "Class", "Criticality", "Owner")
    services = tuple(
        Row((*_changed(one.changed), ranked(one.criticality), ranked(one.owner)), one.changed.after or "")
        for one in answer.services
    )
    cis = tuple(Row(_changed(one), one.after or "") for one in answer.cis)
    gates = tuple(Row(_gate(one)) for one in answer.gates)
    more = answer.more
    verdict = f"{counted(answer.counts)}." if any(answer.counts.values()) else "Nothing differs."
    return Report(
        f"What differs if {', '.join(map(called, answer.failed))} fail", verdict, tuple(_facts(answer)), (
            supposed(answer.after.supposed),
            Section("Services", columns, services, left_out(more.get("services", 0), "services")),
            Section("CIs", ("Change", "Before", "After", "CI", "Class"), cis, left_out(more.get("cis", 0), "CIs")),
            Section("Gates", ("CI", "Gate", "Before", "After"), gates, left_out(more.get("gates", 0), "gates")),
        ),
    )  # fmt: skip


def _facts(answer: Comparison) -> Iterable[tuple[str, Cell]]:
    for label, side in (("before", answer.before), ("after", answer.after)):
        for what, value in (*asked_of(side.revision, side.at, side.known_at), ("Affected", _states(side))):
            yield f"{what}, {label}", value


def _states(side: SideTold) -> str:
    return counted(side.by_state) or "none"


def _changed(one: Changed) -> tuple[Cell, ...]:
    return one.change, _state(one.before), _state(one.after), name(one.ci), one.ci.class_ or ""


def _state(state: str | None) -> str:
    return "not there" if state is None else marked(state)


def _gate(one: GateChanged) -> tuple[Cell, ...]:
    told = one.after or one.before
    over = f"{told.relation} {told.over}" if told else ""
    return called(one.ci), over, _text(one.before), _text(one.after)


def _text(gate: GateTold | None) -> str:
    return "none" if gate is None else gate.text
