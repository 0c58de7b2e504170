"""What is to be done at a time: rows that any server may claim (``claims``), so that none needs to lead.

A job is done at least once: who does it may end before saying so, and then another does it again. What a job does has
to bear that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from itertools import islice
from typing import Any

from cmdb_server.practices.claims import Claims
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Reading, Row, Store, Writing
from cmdb_server.store.tables import JOB

KEPT_MS = 30 * 86_400_000
"""How long a job that is done is still told of."""


@dataclass(frozen=True, slots=True)
class Job:
    """A row of JOB. ``kind`` names who does it, ``subject`` what with. ``due_at`` (ms) None: done at ``done_at``."""

    id: str
    kind: str
    subject: Mapping[str, Any]
    due_at: int | None
    claimed_until: int = 0
    fence: int = 0
    attempts: int = 0
    fault: str | None = None
    done_at: int | None = None


def schedule(tx: Writing, id_: str, kind: str, subject: Mapping[str, Any], due_at: int) -> Job:
    """Have a job done at ``due_at``. ``id_`` names it: scheduled again under one id, it has only the new time. Who is
    doing it at that moment can no longer say how it ended."""
    found = CLAIMS.find(tx, id_)
    made = Job(id_, kind, dict(subject), due_at, fence=0 if found is None else found.fence + 1)
    tx.put(JOB, [_row(made)])
    return made


def cancel(tx: Writing, id_: str) -> None:
    """Have a job not done, if it is there."""
    tx.delete(JOB, [(id_,)])


def one(tx: Reading, id_: str) -> Job | None:
    """The job of that id."""
    return CLAIMS.find(tx, id_)


def due(store: Store, now_ms: int, limit: int = 100) -> list[Job]:
    """What is due and claimed by nobody, the longest due first."""

    def work(tx: Reading) -> list[Job]:
        rows = tx.between(JOB, "due_at", -1, now_ms)
        return list(islice((job for job in map(_job, rows) if job.claimed_until <= now_ms), limit))

    return store.read(work)


def every(store: Store) -> list[Job]:
    """All jobs: what is to be done in order of time, then what was done."""
    found = store.read(lambda tx: [_job(row) for row in pages(tx, JOB)])
    return sorted(found, key=lambda job: (job.due_at is None, job.due_at or 0, job.id))


def page(store: Store, cursor: str | None, limit: int, *, failing: bool = False) -> tuple[list[Job], str | None]:
    """Jobs by id after ``cursor``, and where they go on. ``failing``: those alone whose last try failed."""

    def work(tx: Reading) -> tuple[list[Job], str | None]:
        found: list[Job] = []
        after = cursor
        while rows := tx.scan(JOB, None if after is None else (after,), limit + 1):
            found += [job for job in map(_job, rows) if job.attempts or not failing]
            after = rows[-1][0]
            if len(found) > limit or len(rows) <= limit:
                break
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    return store.read(work)


def claim(store: Store, id_: str, now_ms: int) -> Job | None:
    """Have a job for oneself until the claim runs out; None when it is another's, not due or gone."""
    return CLAIMS.claim(store, id_, now_ms)


def extend(store: Store, mine: Job, now_ms: int) -> bool:
    """Have a job for longer, as if it were claimed now. False when the claim has passed to another meanwhile."""
    return CLAIMS.extend(store, mine, now_ms)


def done(store: Store, mine: Job, now_ms: int, again_at: int | None = None) -> bool:
    """Say that it was done, and when it is due again, if ever. False when the claim has passed to another, or the job
    was scheduled anew meanwhile."""
    return CLAIMS.end(store, replace(mine, attempts=0, fault=None, due_at=again_at, done_at=now_ms))


def failed(store: Store, mine: Job, fault: str, now_ms: int) -> bool:
    """Say that it was not, and try again later, each time after twice as long."""
    return CLAIMS.failed(store, mine, fault, now_ms)


def forget(store: Store, now_ms: int) -> int:
    """Remove what was done long ago and is not due again; gives how many."""

    def old(tx: Reading) -> list[str]:
        jobs = map(_job, tx.between(JOB, "done_at", -1, now_ms - KEPT_MS))
        return [job.id for job in jobs if job.due_at is None]

    def work(tx: Writing) -> int:
        gone = old(tx)
        tx.delete(JOB, [(id_,) for id_ in gone])
        return len(gone)

    return store.write(work) if store.read(old) else 0


def _job(row: Row) -> Job:
    return Job(*row)


def _row(job: Job) -> Row:
    return astuple(job)


CLAIMS = Claims(JOB, _job, _row)
