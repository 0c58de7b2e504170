"""When a change is verified by itself: as its window ends while it is under way, and once it is said to have ended. What
came out is kept with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from cmdb_server.ingest.entries import is_told_by_people
from cmdb_server.practices import kept, timed
from cmdb_server.practices.booked import CHANGE, booking_of
from cmdb_server.practices.guards import Attempt, effect
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_rows import Kept, about, one_in, there
from cmdb_server.practices.kind import PRACTICE
from cmdb_server.store.port import Reading, Store, Writing
from cmdb_server.store.tables import LANE, RECORD

VERIFICATION, VERIFY = "verification", "verify"
"""The kind of what is kept, and of the job."""
AHEAD_MS = 366 * 86_400_000


@effect(CHANGE, "implement")
def when_its_window_ends(tx: Writing, attempt: Attempt) -> None:
    """Whoever forgets to say that it has ended is told all the same what came of it."""
    now = attempt.now_ms
    spans = booking_of(replace(attempt.after, state="scheduled"), (now, now + AHEAD_MS), now).spans
    if spans and spans[0][1] is not None:
        _have_verified(tx, attempt.after.number, spans[0][1])


@effect(CHANGE, "review")
def when_it_ended(tx: Writing, attempt: Attempt) -> None:
    """At once, and again until all of it was seen."""
    _have_verified(tx, attempt.after.number, attempt.now_ms)


def _have_verified(tx: Writing, number: str, at: int) -> None:
    timed.schedule(tx, f"{VERIFY} {number}", VERIFY, {"number": number}, at)


def seen_since(tx: Reading, cis: Iterable[str], at: int) -> bool:
    """Whether every scan that tells of these CIs has come again since ``at`` (ms)."""
    place = {name: RECORD.position(name) for name in ("scope", "part", "source", "ended_at")}
    rows = tx.find(RECORD, ("ci",), [(id_,) for id_ in sorted(set(cis))])
    lanes = {
        (row[place["scope"]], row[place["part"]])
        for row in rows
        if row[place["ended_at"]] is None and not is_told_by_people(row[place["source"]])
    }
    observed = LANE.position("observed_at")
    return all(row[observed] >= at for row in tx.get(LANE, lanes).values())


def keep(
    store: Store, change: str, summary: str, result: Mapping[str, Any], now_ms: int, *, holds: bool, seen: bool
) -> Kept:
    """Keep what came out in place of what came out before; the same again is not kept twice."""
    body = {"change": change, "summary": summary, "holds": holds, "seen": seen, "result": dict(result)}
    return store.write(lambda tx: _keep(tx, change, body, By("cmdb", (PRACTICE,), now_ms)))


def _keep(tx: Writing, change: str, body: Mapping[str, Any], by: By) -> Kept:
    for one in about(tx, change, VERIFICATION):
        if one.state == "current" and one.body == body:
            return one
        if one.state == "current":
            kept.moved(tx, one.number, "supersede", by)
    cis = there(tx, one_in(tx, change).cis.get("changed", ()))
    return kept.opened(tx, VERIFICATION, body, {"changed": cis}, by)
