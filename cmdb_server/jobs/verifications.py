"""Verifies a change whose window is over: at once, and again until all that it changed was seen since."""

from __future__ import annotations

from dataclasses import asdict

from cmdb_server.answers.changes.excused import SEEN_WITHIN
from cmdb_server.answers.changes.verification import BEGUN, Verification, verify
from cmdb_server.answers.told import plain
from cmdb_server.answers.viewer import Viewer
from cmdb_server.jobs.timed import Running, job
from cmdb_server.model import instants
from cmdb_server.practices import kept_rows, verifications
from cmdb_server.practices.timed import Job
from cmdb_server.practices.verifications import VERIFY

AGAIN_MS = 900_000
TIMES = ("revision", "before", "after")
"""What differs each time although the answer does not."""


@job(VERIFY)
def verify_one(running: Running, mine: Job, now_ms: int) -> int | None:
    """Verify, and keep what came out. It is done when all was seen, or a day after the change's end."""
    number = mine.subject["number"]
    change = kept_rows.one(running.store, number)
    if change.state not in BEGUN:
        return None
    ended = instants.parse(change.body["ended_at"]) if "ended_at" in change.body else None
    since = now_ms if ended is None else ended
    changed = change.cis.get("changed", ())
    seen = running.store.read(lambda tx: verifications.seen_since(tx, changed, since))
    last = ended is None or seen or now_ms >= ended + SEEN_WITHIN
    found = verify(running.projections, Viewer("cmdb", "admin", running.kinds), number)
    result = {name: value for name, value in plain(asdict(found)).items() if name not in TIMES}
    if last or found.holds:
        verifications.keep(running.store, number, _summary(found), result, now_ms, holds=found.holds, seen=seen)
    return None if last else now_ms + AGAIN_MS


def _summary(found: Verification) -> str:
    missing = sum(one.result == "missing" for one in found.outcomes)
    stray = len(found.unplanned) + found.more
    words = [f"{count} {what}" for count, what in ((missing, "missing"), (stray, "not planned")) if count]
    return f"{found.number}: {', '.join(words) or 'as expected'}"
