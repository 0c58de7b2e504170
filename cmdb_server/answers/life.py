"""How alive a CI is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Life:
    """``stage``: current, ageing, missing or retired; ``last``: ms, None where only people tell of it."""

    stage: str
    last: int | None
    site: str
