"""Who looks at the graph. Every read takes one; all see everything for now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Viewer:
    """``subject`` and ``role`` of the token that asks."""

    subject: str
    role: str
