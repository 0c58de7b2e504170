"""When owners are told of what is kept: noted with the version itself, so that neither is without the other."""

from __future__ import annotations

from cmdb_server.practices import timed
from cmdb_server.practices.guards import Attempt, effect
from cmdb_server.practices.timed import Job
from cmdb_server.store.port import Writing

OWNERS, LETTER = "tell-owners", "letter"
"""Kinds of jobs: whom to tell, and telling one of them."""
WAS_BOOKED = ("scheduled", "implement")


@effect("change", "schedule")
@effect("change", "cancel", "rework")
@effect("outage", "open", "end")
@effect("unplanned_change", "open")
def tell_owners(tx: Writing, attempt: Attempt) -> None:
    """Owners hear of a change once it is booked, and then when it is called off; of an outage as it begins and ends,
    of what changed without having been booked when that was seen."""
    if attempt.transition in ("cancel", "rework") and (
        attempt.before is None or attempt.before.state not in WAS_BOOKED
    ):
        return
    number, version = attempt.after.number, attempt.after.version
    timed.schedule(tx, f"{OWNERS} {number} {version}", OWNERS, {"number": number, "version": version}, attempt.now_ms)


@effect("approval", "open")
def tell_who_is_asked(tx: Writing, attempt: Attempt) -> None:
    """An owner hears of the approval that is asked of them; what any approver may give is nobody's in particular."""
    if attempt.after.body.get("approver"):
        tell_owners(tx, attempt)


@effect("verification", "open")
def tell_of_shortfall(tx: Writing, attempt: Attempt) -> None:
    """Who asked for a change and the owners hear of it when it did not leave what was expected, and of nothing else."""
    if not attempt.after.body["holds"]:
        tell_owners(tx, attempt)


def tell(tx: Writing, number: str, version: int, address: str, now_ms: int) -> Job | None:
    """Have one owner told, unless that was noted before."""
    id_ = f"{LETTER} {number} {version} {address}"
    if timed.one(tx, id_) is not None:
        return None
    return timed.schedule(tx, id_, LETTER, {"number": number, "version": version, "to": address}, now_ms)
