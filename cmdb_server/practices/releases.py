"""What a release may not do without: changes, each once, and all of them over before it is out."""

from __future__ import annotations

from collections.abc import Iterator

from cmdb_server.errors import Conflict, Invalid
from cmdb_server.practices.booked import CHANGE
from cmdb_server.practices.field import Fault
from cmdb_server.practices.guards import Attempt, guard
from cmdb_server.practices.kept_check import invalid
from cmdb_server.practices.kept_rows import Kept, stored
from cmdb_server.store.port import Reading

RELEASE = "release"
OVER, WELL = ("review", "closed"), ("successful", "with_issues")


@guard(RELEASE, "open", "edit")
def of_changes(attempt: Attempt) -> None:
    """A release is made of changes, none of them twice."""
    faults = list(_faults(attempt.tx, attempt.after))
    if faults:
        raise invalid(faults)


def _faults(tx: Reading, release: Kept) -> Iterator[Fault]:
    named = list(release.body.get("changes", ()))
    for place, number in enumerate(named):
        if number in named[:place]:
            yield f"body.changes[{place}]", f"{number} is named twice"
        elif stored(tx, number).kind != CHANGE:
            yield f"body.changes[{place}]", f"{number} is no change"


@guard(RELEASE, "release")
def all_done(attempt: Attempt) -> None:
    """Every change is over; one that went wrong, or was called off, needs a note that says why it goes out all the
    same."""
    changes = [stored(attempt.tx, number) for number in attempt.after.body.get("changes", ())]
    waiting = [f"{one.number} ({one.state})" for one in changes if one.state not in (*OVER, "cancelled")]
    if waiting:
        raise Conflict(f"{attempt.after.number} waits for {', '.join(waiting)}")
    wrong = [one.number for one in changes if one.state == "cancelled" or one.body.get("outcome") not in WELL]
    if wrong and not attempt.note.strip():
        message = f"is needed: {', '.join(wrong)} did not go well; say why it goes out all the same"
        raise Invalid(f"note: {message}", errors=[{"path": "note", "message": message}], changes=wrong)
