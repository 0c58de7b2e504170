"""The formats of answers and how they are called. Apart from what writes them, which whoever only asks need not load."""

from __future__ import annotations

from typing import Literal

Format = Literal["markdown", "html", "dot", "mermaid", "graphml"]
REPORTS = ("markdown", "html")
DRAWINGS = ("dot", "mermaid", "graphml")
FORMATS = REPORTS + DRAWINGS
CALENDARS = ("ics",)
MEDIA = {
    "markdown": "text/markdown",
    "html": "text/html",
    "dot": "text/vnd.graphviz",
    "mermaid": "text/vnd.mermaid",
    "graphml": "application/graphml+xml",
    "ics": "text/calendar",
}
SUFFIX = {"markdown": "md", "html": "html", "dot": "dot", "mermaid": "mmd", "graphml": "graphml", "ics": "ics"}
