"""Stretches of time as answers tell them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cmdb_server.model.intervals import normalise

Span = tuple[int, int | None]
_NEVER = 2**63


@dataclass(frozen=True, slots=True)
class SpanTold:
    """[start, end) in ms; ``end`` None: none."""

    start: int
    end: int | None


def spans_told(spans: Sequence[Span]) -> tuple[SpanTold, ...]:
    return tuple(SpanTold(*span) for span in spans)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same times in order, what touches or overlaps as one."""
    told = normalise((start, _NEVER if end is None else end) for start, end in spans)
    return tuple((start, None if end == _NEVER else end) for start, end in told)


def length(spans: Sequence[Span]) -> int | None:
    """How long they are in all, in ms; None when one has no end."""
    total = 0
    for start, end in spans:
        if end is None:
            return None
        total += end - start
    return total
