"""The shapes of answers about what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CiSummary:
    """One CI in a list. ``stage``: current, ageing, missing or retired. ``site``: where it was observed. Times in ms;
    ``last_discovered`` None where nothing but people tell of it."""

    id: str
    class_: str
    name: str
    parent: str
    stage: str
    site: str
    first_discovered: int
    last_discovered: int | None
    revision: int
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RelationView:
    """One relation as seen from a CI. ``label``: the type, or its reverse name for an incoming one. ``claims``: how
    many sightings' claims carry it, 0 when it follows from the class. ``transient``: none of them saw more than a
    passing connection; None for the past, where that is not kept."""

    type: str
    label: str
    incoming: bool
    other: str
    other_class: str | None
    other_name: str | None
    group: str | None
    confidence: float
    claims: int
    transient: bool | None = None


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """A relation whose far end is not known, or could be several: carried and named, not guessed."""

    type: str
    far: str
    port: int | None
    evidence: str


@dataclass(frozen=True, slots=True)
class SourceView:
    """One record of a CI: which source saw it where, and when."""

    record: str
    source: str
    site: str
    target: str
    agent: str
    first: int
    last: int
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest value of one measured thing. ``component``: the CI it is of, when that is a component of the one
    asked for. ``at``: ms; ``told_at``: the sample's own time, as its source told it."""

    name: str
    source: str
    component: str | None
    component_name: str
    value: float
    unit: str
    kind: str
    at: int
    told_at: str | None


@dataclass(frozen=True, slots=True)
class CiAnswer:
    """One CI with all that belongs to it. ``id`` is the canonical one, whichever of its ids was asked for."""

    summary: CiSummary
    components: tuple[CiSummary, ...]
    relations: tuple[RelationView, ...]
    open_ends: tuple[OpenEnd, ...] = ()
    sources: tuple[SourceView, ...] = ()
    samples: tuple[Latest, ...] = ()

    @property
    def id(self) -> str:
        return self.summary.id


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list. ``cursor`` continues it; None at its end. ``revision``: what the page was read at."""

    items: tuple[CiSummary, ...]
    cursor: str | None
    revision: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A CI found by a text, and in what: ``name``, an identifier's kind, or ``attribute:NAME``."""

    ci: CiSummary
    matched: str
