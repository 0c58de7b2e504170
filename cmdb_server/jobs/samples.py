"""Folds samples into series and drops what is older than its resolution is kept."""

from __future__ import annotations

from cmdb_server.jobs.standing import SAMPLES, again
from cmdb_server.jobs.timed import Running, job
from cmdb_server.practices import series
from cmdb_server.practices.timed import Job

MOST = 50
"""Batches folded at once; the rest is due immediately."""


@job(SAMPLES)
def fold(running: Running, _: Job, now_ms: int) -> int:
    """Fold what was told since, and thin out what is old."""
    for _number in range(MOST):
        if not series.fold(running.store):
            series.thin(running.store, running.settings.sample_days, now_ms)
            return again(SAMPLES, now_ms)
    return now_ms
