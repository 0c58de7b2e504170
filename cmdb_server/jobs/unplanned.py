"""Reports what discovery saw change although nothing was booked: once each, to whoever follows what is kept, and by
mail to the owners of the services that stand on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from cmdb_server.answers.changes.strays import Stray, strays
from cmdb_server.answers.told import plain
from cmdb_server.jobs.standing import UNPLANNED, again
from cmdb_server.jobs.timed import Running, job
from cmdb_server.practices import unplanned
from cmdb_server.practices.timed import Job
from cmdb_server.practices.unplanned import Sighting

ROUNDS = 20
"""Looks at the feed at once; the rest is looked at the next time."""
LISTED, NAMED = 200, 5


@job(UNPLANNED)
def look(running: Running, _: Job, now_ms: int) -> int:
    """Look at what the feed tells since the last time. The first time, nothing was unplanned yet."""
    since = unplanned.reached(running.store)
    if since is None:
        unplanned.keep(running.store, None, running.store.revision(), None, now_ms)
        return again(UNPLANNED, now_ms)
    for _number in range(ROUNDS):
        found = running.store.read(partial(strays, since=since, now_ms=now_ms))
        if not found.rows:
            break
        unplanned.keep(running.store, since, found.until, _sighting(found.items), now_ms)
        since = found.until
    return again(UNPLANNED, now_ms)


def _sighting(items: Sequence[Stray]) -> Sighting | None:
    if not items:
        return None
    times = [one.at for one in items]
    told = [plain(asdict(one.difference)) for one in items[:LISTED]]
    cis = list(dict.fromkeys(id_ for one in items for id_ in one.cis))
    return Sighting(_summary(items), min(times), max(times), told, max(0, len(items) - LISTED), cis)


def _summary(items: Sequence[Stray]) -> str:
    words = list(dict.fromkeys(f"{one.difference.name} {one.difference.change}" for one in items))
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return f"unplanned: {', '.join(words[:NAMED])}{more}"
