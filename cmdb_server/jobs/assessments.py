"""Assesses again what is booked soon, where the graph has moved under it: who is hit by now is asked by now."""

from __future__ import annotations

from cmdb_server.answers.changes.proceeding import reassess
from cmdb_server.answers.viewer import Viewer
from cmdb_server.jobs.standing import ASSESSMENTS, again
from cmdb_server.jobs.timed import Running, job
from cmdb_server.practices.timed import Job

SOON = 14 * 86_400_000
MOST = 200


@job(ASSESSMENTS)
def assess(running: Running, _: Job, now_ms: int) -> int:
    """The changes of the next two weeks, the soonest first."""
    reassess(running.projections, Viewer("cmdb", "admin", running.kinds), now_ms + SOON, MOST)
    return again(ASSESSMENTS, now_ms)
