"""Stretches of time as answers tell them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class SpanTold:
    """[start, end) in ms; ``end`` None: none."""

    start: int
    end: int | None


def spans_told(spans: Sequence[Span]) -> tuple[SpanTold, ...]:
    return tuple(SpanTold(*span) for span in spans)


def length(spans: Sequence[Span]) -> int | None:
    """How long they are in all, in ms; None when one has no end."""
    total = 0
    for start, end in spans:
        if end is None:
            return None
        total += end - start
    return total
