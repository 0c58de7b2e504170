"""What every server has done again and again: scheduled where it is not yet."""

from __future__ import annotations

from collections.abc import Mapping

from cmdb_server.jobs.timed import Running, run
from cmdb_server.practices import timed
from cmdb_server.store.port import Store, Writing
from cmdb_server.store.tables import JOB

SAMPLES, HEALTH, REFRESH, ASSESSMENTS, UNPLANNED = "samples", "health", "refresh", "assessments", "unplanned"
EVERY_MS: Mapping[str, int] = {
    REFRESH: 60_000, SAMPLES: 300_000, UNPLANNED: 300_000, HEALTH: 3_600_000, ASSESSMENTS: 3_600_000,
}  # fmt: skip
"""Kind of job -> ms from one time to the next. There is one of each, called like its kind."""


def work(running: Running, now_ms: int) -> int:
    """Do what is due, the standing jobs included; gives how many were done. Call it again until that is 0."""
    begin(running.store, now_ms)
    return run(running, now_ms)


def begin(store: Store, now_ms: int) -> None:
    """Have the standing jobs done from now on."""
    keys = [(kind,) for kind in EVERY_MS]
    if len(store.read(lambda tx: tx.get(JOB, keys))) == len(keys):
        return

    def schedule(tx: Writing) -> None:
        there = tx.get(JOB, keys)
        for kind in EVERY_MS:
            if (kind,) not in there:
                timed.schedule(tx, kind, kind, {}, now_ms)

    store.write(schedule)


def again(kind: str, now_ms: int) -> int:
    """When a standing job is due next: at the next whole multiple of its time, whoever does it."""
    every = EVERY_MS[kind]
    return now_ms - now_ms % every + every
