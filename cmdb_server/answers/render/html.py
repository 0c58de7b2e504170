"""Reports as one HTML file without script or links, that reads well even where its style is not let in."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cmdb_schemas.visible import visible
from cmdb_server.answers.render.report import Report

_FOLDER = Path(__file__).parent
STYLE = (_FOLDER / "report.css").read_text(encoding="utf-8").strip()
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)
"""The Content-Security-Policy under which the file shows as it is meant to: nothing but its own style."""


def html(report: Report) -> str:
    """The report as one document."""
    return _TEMPLATE.render(report=report, style=STYLE, policy=POLICY)


def _shown(value: object) -> object:
    """Before it is escaped."""
    return visible(value) if type(value) is str else value


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True, finalize=_shown,
    )  # fmt: skip


_TEMPLATE = _environment().get_template("report.html")
