"""Reports as Markdown (CommonMark with GitHub's tables) in which every text stays a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cmdb_schemas.visible import visible
from cmdb_server.answers.render.report import Cell, Report, Section

_ACTIVE = re.compile(r"^-|[\\`*_{}\[\]<>()#+!|~&:@.=$^]")
"""All that begins a construct at the start of a line or within it, links made of bare addresses and mentions included."""


def markdown(report: Report) -> str:
    """The report as one document."""
    return "\n".join(_lines(report)) + "\n"


def inert(text: str) -> str:
    """A text that no Markdown reader takes for anything but itself."""
    return _ACTIVE.sub(lambda found: "\\" + found[0], visible(text).strip()) or " "


def _lines(report: Report) -> Iterator[str]:
    yield f"# {inert(report.title)}"
    yield ""
    verdict = inert(report.verdict).strip()
    # Stars around nothing would be a line across the page.
    yield f"**{verdict}**" if verdict else ""
    yield ""
    for name, value in report.facts:
        yield f"- {inert(name)}: {_cell(value)}"
    for section in report.told():
        yield ""
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield f"## {inert(section.heading)}"
    yield ""
    if section.rows:
        yield _row(section.columns)
        yield _row_of("---" for _ in section.columns)
        for row in section.rows:
            yield _row(row.cells)
    if section.more:
        if section.rows:
            yield ""
        yield f"{inert(section.more[0].upper() + section.more[1:])}\\."


def _row(cells: Iterable[Cell]) -> str:
    return _row_of(_cell(cell) for cell in cells)


def _row_of(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return inert(cell) if isinstance(cell, str) else " → ".join(map(inert, cell))
