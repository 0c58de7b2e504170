"""Notices values that went stale."""

from __future__ import annotations

from cmdb_server.ingest.deadlines import notice
from cmdb_server.jobs.standing import REFRESH, again
from cmdb_server.jobs.timed import Running, job
from cmdb_server.practices.timed import Job

MOST = 20
"""Transactions at once; the rest is due immediately."""


@job(REFRESH)
def refresh(running: Running, _: Job, now_ms: int) -> int:
    """Let go of what was not confirmed in time."""
    for _number in range(MOST):
        if not notice(running.store, running.kinds, now_ms):
            return again(REFRESH, now_ms)
    return now_ms
