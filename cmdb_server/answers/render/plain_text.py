"""Reports as plain text, for the part of a mail that every reader shows."""

from __future__ import annotations

from collections.abc import Iterator

from cmdb_schemas.visible import visible
from cmdb_server.answers.render.report import Cell, Report, Row, Section


def plain_text(report: Report) -> str:
    """The report, one statement a line."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield visible(report.title)
    yield ""
    yield visible(report.verdict)
    yield ""
    for name, value in report.facts:
        yield f"{visible(name)}: {_cell(value)}"
    for section in report.told():
        yield ""
        yield visible(section.heading)
        for row in section.rows:
            yield from _row(section, row)
        if section.more:
            yield f"  ({visible(section.more)})"


def _row(section: Section, row: Row) -> Iterator[str]:
    told = [(name, cell) for name, cell in zip(section.columns, row.cells, strict=True) if cell]
    for place, (name, cell) in enumerate(told):
        yield f"{'    ' if place else '  - '}{name}: {_cell(cell)}"


def _cell(cell: Cell) -> str:
    return visible(cell) if isinstance(cell, str) else " -> ".join(map(visible, cell))
