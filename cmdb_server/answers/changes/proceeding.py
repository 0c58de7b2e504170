"""A change moved on with an assessment that holds: made again where the graph, or the change, has moved meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from cmdb_server.answers.changes.assessment import Assessment, assess
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import CmdbError, Conflict
from cmdb_server.practices import assessments, kept, kept_rows
from cmdb_server.practices.assessments import APPROVAL, Finding
from cmdb_server.practices.booked import CHANGE, booking_of
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_rows import Kept, all_in
from cmdb_server.practices.kind import Kind
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

ASSESSED = {(CHANGE, "authorise"), (CHANGE, "schedule"), (CHANGE, "implement"), (APPROVAL, "approve")}
"""Transitions that need an assessment which holds."""
WAITING = ("authorise", "scheduled")
TRIES = 5
LOG = logging.getLogger(__name__)


def assess_and_keep(projections: Projections, viewer: Viewer, number: str) -> tuple[Kept, Assessment]:
    """Assess a change and keep that, all of it, whatever of it the viewer sees. Raises as ``assess`` does."""
    for attempt in range(TRIES):
        found = assess(projections, replace(viewer, sight=None), number)
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
        if thing.kind == APPROVAL and transition == "approve":
            store.read(partial(assessments.check_asked, number=number))
        try:
            return kept.move(store, number, transition, by, changes, version, known)
        except Conflict as error:
            if not error.extra.get("outdated") or attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def reassess(projections: Projections, viewer: Viewer, until: int, most: int) -> list[str]:
    """Assess what is to be booked, or is, and begins before ``until`` (ms), where the graph has moved since: up to
    ``most`` changes, the soonest first. What people decide upon being the same, nothing is written. Gives the numbers of
    those of which it is not."""
    found = []
    for number in projections.store.read(lambda tx: _left_behind(tx, projections.clock(), until))[:most]:
        try:
            told = assess(projections, viewer, number)
            before = projections.store.read(partial(assessments.current, change=number))
            if before is not None and before.body["substance"] != told.substance:
                assessments.keep(projections.store, _finding(told), viewer.subject, projections.clock())
                found.append(number)
        except CmdbError as error:
            LOG.warning("change not assessed again", extra={"number": number, "fault": error.detail})
    return found


def _left_behind(tx: Reading, now: int, until: int) -> list[str]:
    """The numbers of such changes."""
    starts = []
    for change in all_in(tx, CHANGE, WAITING):
        spans = booking_of(change, (now, until), now).spans if now < until else ()
        if not spans:
            continue
        known = assessments.current(tx, change.number)
        if known is not None and assessments.moved_since(tx, known.body["graph"]):
            starts.append((spans[0][0], change.number))
    return [number for _, number in sorted(starts)]


def _finding(found: Assessment) -> Finding:
    return Finding(found.number, found.version, found.revision, found.substance, found.risk.score, found.as_json())
