"""Records the figures of the CMDB's health."""

from __future__ import annotations

from cmdb_server.answers.health import health
from cmdb_server.answers.health_course import recorded
from cmdb_server.answers.viewer import Viewer
from cmdb_server.jobs.standing import HEALTH, again
from cmdb_server.jobs.timed import Running, job
from cmdb_server.practices import health_course
from cmdb_server.practices.timed import Job


@job(HEALTH)
def record(running: Running, _: Job, now_ms: int) -> int:
    """Record how things are now."""
    told = health(running.store, Viewer("", "admin", running.kinds), now_ms=now_ms)
    health_course.keep(running.store, recorded(told, now_ms))
    return again(HEALTH, now_ms)
