"""A report: what an answer says, before it is known how it is written. All texts in it are data, and may be hostile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cmdb_server.answers.spans import SpanTold
from cmdb_server.answers.told import GateTold, Named, StepTold, moment

MARKS = {"up": "✔", "degraded": "◑", "down": "✖"}
"""So that no state is told by a colour alone."""
Cell = str | tuple[str, ...]
"""A text, or the steps of a way."""


@dataclass(frozen=True, slots=True)
class Row:
    """``tone``: the state that the row tells of; empty where it tells of none."""

    cells: tuple[Cell, ...]
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A table under a heading. ``more``: what is left out, in words; empty where nothing is."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    more: str = ""

    def filled(self) -> Section:
        """Without the columns in which no row says anything."""
        kept = [place for place in range(len(self.columns)) if any(row.cells[place] for row in self.rows)]
        rows = (replace(row, cells=tuple(row.cells[place] for place in kept)) for row in self.rows)
        return replace(self, columns=tuple(self.columns[place] for place in kept), rows=tuple(rows))


@dataclass(frozen=True, slots=True)
class Report:
    """``verdict``: the answer in one sentence. ``facts``: (name, value). What says nothing is not written."""

    title: str
    verdict: str
    facts: tuple[tuple[str, Cell], ...]
    sections: tuple[Section, ...]

    def told(self) -> tuple[Section, ...]:
        """The sections that are written."""
        return tuple(section.filled() for section in self.sections if section.rows or section.more)


def name(ci: Named) -> str:
    """A CI's name; what stands for it where that is hidden."""
    return ci.name or ci.id


def called(ci: Named) -> str:
    """A CI with its class."""
    return f"{ci.class_} {name(ci)}" if ci.class_ else name(ci)


def marked(state: str) -> str:
    """A state with its mark."""
    return f"{MARKS[state]} {state}" if state in MARKS else state


def arithmetic(gate: GateTold) -> str:
    return f"{gate.relation} {gate.over}: {gate.text}"


def way(steps: Iterable[StepTold]) -> tuple[str, ...]:
    """A way, each step with why it is affected."""
    return tuple(f"{called(step.ci)} {step.state} ({why(step)})" for step in steps)


def why(step: StepTold) -> str:
    if step.cut_off:
        return "no path to a gateway is left"
    return "fails itself" if step.gate is None else arithmetic(step.gate)


def ranked(value: object) -> str:
    """An attribute's value as a text; empty where nobody told."""
    return "" if value is None else str(value)


def left_out(count: int, what: str) -> str:
    return f"{count} more {what} not listed" if count else ""


def counted(counts: Mapping[str, int]) -> str:
    """Counts by name, the largest first."""
    return ", ".join(f"{count} {told}" for told, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def during(spans: Iterable[SpanTold], few: int = 3, more: int = 0) -> str:
    """The first times, and how many there are besides, ``more`` of them not even given."""
    told = list(spans)
    times = [f"{moment(one.start)} to {moment(one.end) or 'not known yet'}" for one in told[:few]]
    besides = max(0, len(told) - few) + more
    return "; ".join([*times, *([f"{besides} times more"] if besides else [])])


def listed(cis: Iterable[Named], more: int = 0) -> str:
    """Names, and how many there are besides."""
    return ", ".join((*map(name, cis), *([f"{more} more"] if more else [])))


def asked_of(revision: int, at: int | None = None, known_at: int | None = None) -> tuple[tuple[str, Cell], ...]:
    """Which graph was asked."""
    told = [("As of", moment(at)), ("As known at", moment(known_at)), ("Revision", str(revision))]
    return tuple((label, value) for label, value in told if value is not None)
