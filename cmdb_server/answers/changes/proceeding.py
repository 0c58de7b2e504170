"""A change moved on with an assessment that holds: made again where the graph, or the change, has moved meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cmdb_server.answers.changes.assessment import Assessment, assess
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Conflict
from cmdb_server.practices import assessments, kept, kept_rows
from cmdb_server.practices.assessments import APPROVAL, Finding
from cmdb_server.practices.booked import CHANGE
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.practices.kind import Kind
from cmdb_server.projection.projections import Projections

ASSESSED = {(CHANGE, "authorise"), (CHANGE, "schedule"), (CHANGE, "implement"), (APPROVAL, "approve")}
"""Transitions that need an assessment which holds."""
TRIES = 5


def assess_and_keep(projections: Projections, viewer: Viewer, number: str) -> tuple[Kept, Assessment]:
    """Assess a change and keep that. Raises as ``assess`` does."""
    for attempt in range(TRIES):
        found = assess(projections, viewer, number)
        try:
            return assessments.keep(projections.store, _finding(found), viewer.subject, projections.clock()), found
        except Conflict as error:
            if not error.extra.get("outdated") or attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def move(
    projections: Projections, viewer: Viewer, number: str, transition: str, by: By, changes: Mapping[str, Any],
    version: int | None, known: Mapping[str, Kind],
) -> Kept:  # fmt: skip
    """``kept.move``, before which the change is assessed where the transition needs that. Raises as both do."""
    store = projections.store
    for attempt in range(TRIES):
        thing = kept_rows.one(store, number)
        if (thing.kind, transition) in ASSESSED and known[thing.kind].transition(transition, thing.state, thing.body):
            change = thing if thing.kind == CHANGE else kept_rows.one(store, thing.body["change"])
            if change.cis.get("changed"):
                assess_and_keep(projections, viewer, change.number)
        try:
            return kept.move(store, number, transition, by, changes, version, known)
        except Conflict as error:
            if not error.extra.get("outdated") or attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _finding(found: Assessment) -> Finding:
    return Finding(found.number, found.version, found.revision, found.substance, found.risk.score, found.as_json())
