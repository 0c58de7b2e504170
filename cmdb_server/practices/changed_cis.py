"""What a change is of must be there: of what has gone since nothing falls, and it would pass for harmless."""

from __future__ import annotations

from cmdb_server.practices.booked import CHANGE
from cmdb_server.practices.guards import Attempt, guard
from cmdb_server.practices.kept_check import cis_faults, invalid
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.practices.kind_files import kinds
from cmdb_server.store.port import Reading

AHEAD = ("new", "assess", "authorise", "scheduled")
"""Until it is begun: it may be what retires them."""


@guard(CHANGE, "assess", "authorise", "schedule", "implement")
def still_there(attempt: Attempt) -> None:
    """Refuses to lead on a change of CIs that were retired since they were named; it can be reworked, and called off."""
    all_there(attempt.tx, attempt.after)


def all_there(tx: Reading, change: Kept) -> None:
    """Raises Invalid with the path of each CI that is no more."""
    faults = list(cis_faults(tx, kinds()[CHANGE], {"changed": change.cis.get("changed", ())}))
    if faults:
        raise invalid(faults)
