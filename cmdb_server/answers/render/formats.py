"""Which answer can be written in which format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cmdb_server.answers.changes.assessment import Assessment
from cmdb_server.answers.compare import Comparison
from cmdb_server.answers.impact import ImpactAnswer
from cmdb_server.answers.intervals import IntervalsAnswer
from cmdb_server.answers.paths import PathAnswer
from cmdb_server.answers.render.assessment_report import assessment_report
from cmdb_server.answers.render.comparison_report import comparison_report
from cmdb_server.answers.render.dot import dot
from cmdb_server.answers.render.drawing import Drawing
from cmdb_server.answers.render.drawings import impact_drawing, path_drawing, requires_drawing, services_drawing
from cmdb_server.answers.render.graph_file import graph_file
from cmdb_server.answers.render.html import html
from cmdb_server.answers.render.ics import ics
from cmdb_server.answers.render.impact_report import impact_report
from cmdb_server.answers.render.intervals_report import intervals_report
from cmdb_server.answers.render.markdown import markdown
from cmdb_server.answers.render.media import CALENDARS
from cmdb_server.answers.render.mermaid import mermaid
from cmdb_server.answers.render.report import Report
from cmdb_server.answers.render.schedule_report import schedule_report
from cmdb_server.answers.render.standing_report import (
    path_report,
    requires_report,
    services_report,
    single_points_report,
)
from cmdb_server.answers.requires import RequiresAnswer
from cmdb_server.answers.schedule import ScheduleAnswer
from cmdb_server.answers.services import ServicesAnswer
from cmdb_server.answers.single_points import SinglePointsAnswer

_REPORTS: Mapping[str, Callable[[Report], str]] = {"markdown": markdown, "html": html}
_DRAWINGS: Mapping[str, Callable[[Drawing], str]] = {"dot": dot, "mermaid": mermaid, "graphml": graph_file}

_REPORT_OF: Mapping[type, Callable[[Any], Report]] = {
    ImpactAnswer: impact_report,
    RequiresAnswer: requires_report,
    ServicesAnswer: services_report,
    PathAnswer: path_report,
    SinglePointsAnswer: single_points_report,
    ScheduleAnswer: schedule_report,
    Comparison: comparison_report,
    IntervalsAnswer: intervals_report,
    Assessment: assessment_report,
}
_CALENDAR_OF: Mapping[type, Callable[[Any], str]] = {ScheduleAnswer: ics}
_DRAWING_OF: Mapping[type, Callable[[Any], Drawing]] = {
    ImpactAnswer: impact_drawing,
    RequiresAnswer: requires_drawing,
    ServicesAnswer: services_drawing,
    PathAnswer: path_drawing,
}


def rendered(answer: object, format_: str) -> str:
    """The answer in that format; a ``Report`` or a ``Drawing`` is one already. Raises KeyError where it has none."""
    if format_ in _REPORTS:
        report = answer if isinstance(answer, Report) else _REPORT_OF[type(answer)](answer)
        return _REPORTS[format_](report)
    if format_ in CALENDARS:
        return _CALENDAR_OF[type(answer)](answer)
    drawing = answer if isinstance(answer, Drawing) else _DRAWING_OF[type(answer)](answer)
    return _DRAWINGS[format_](drawing)
