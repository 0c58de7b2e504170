"""What identity reads: one source's view of one thing at one place, with one set of identifying evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Naming = Literal["host", "class", "nothing"]
Value = tuple[str, str]
"""An identifier's kind and its normalised value."""
DECLARED = "manual"
"""The source that speaks for what people enter."""


def is_told_by_people(source: str) -> bool:
    """Whether a source is what people enter or files that they bring, and not what is discovered."""
    return source == DECLARED or source.startswith("import:")


@dataclass(frozen=True, slots=True)
class Record:
    """One record. ``identifiers``: kind -> normalised values (``normalise.normalise``). ``address``: where it
    answered, if anything was contacted. ``intervals``: sorted runs of sightings, [first, last] in ms, broken where a
    displacement or a complete scan without it lies between. ``declared``: told by people, by name alone.
    ``first_at``: the first sighting, ms. ``naming``: what its names tell it from: all other hosts, where they are full
    ones; all others of its class; nothing."""

    id: str
    source: str
    site: str
    target: str
    native_key: str | None
    class_: str
    family: str
    identifiers: Mapping[str, tuple[str, ...]]
    address: str | None
    intervals: tuple[tuple[int, int], ...]
    declared: bool
    first_at: int
    naming: Naming = "host"

    @property
    def last_at(self) -> int:
        """The last sighting, ms."""
        return self.intervals[-1][1] if self.intervals else self.first_at

    @property
    def told_by_people(self) -> bool:
        """Whether nobody observed it: it is there for as long as people leave it."""
        return is_told_by_people(self.source)

    def meets(self, other: Record) -> bool:
        """Whether both were seen at overlapping times."""
        return any(a <= d and c <= b for a, b in self.intervals for c, d in other.intervals)
