"""What may be done in a freeze: nothing that was planned, unless an approver exempted it; an emergency with a reason,
where the freeze lets such through.

An exemption is a transition of the change: the history of the change tells who gave it and why. It is for the change as it
was told then: once that is edited, it holds no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cmdb_server.errors import Conflict, Invalid
from cmdb_server.practices.booked import CHANGE
from cmdb_server.practices.content import content
from cmdb_server.practices.guards import Attempt, guard
from cmdb_server.practices.kept_check import invalid
from cmdb_server.practices.kept_rows import Kept, stored, versions
from cmdb_server.practices.kind import EDIT, OPEN
from cmdb_server.store.port import Reading

FREEZE, EXEMPT, FIELD = "freeze", "exempt", "exempt_from"
OTHERS = (OPEN, EDIT, "assess", "authorise", "rework", "schedule", "implement", "review", "close", "cancel")


def keep_to_freezes(attempt: Attempt, conditions: Mapping[str, Any]) -> None:
    """Raises Conflict that names the freezes in which a change would be booked or begun; Invalid where they let an
    emergency through, but nobody said why it cannot wait."""
    change = attempt.after
    lies_in = conditions["freezes_now" if attempt.transition == "implement" else "freezes"]
    exempt = exempted(attempt.tx, change) if lies_in else frozenset()
    left = [one for one in lies_in if one["number"] not in exempt]
    emergency = change.body.get("type") == "emergency"
    against = [one for one in left if not (emergency and one["emergencies"])]
    numbers = [one["number"] for one in against or left]
    named = ", ".join(f"{one['number']} ({one['summary']})" for one in against or left)
    if against:
        message = f"{change.number} lies in the freeze {named}: wait, or have an approver exempt it"
        raise Conflict(message, freezes=numbers)
    if left and not attempt.note.strip():
        message = f"is needed: {change.number} lies in the freeze {named}; say why it cannot wait"
        raise Invalid(f"note: {message}", errors=[{"path": "note", "message": message}], freezes=numbers)


def exempted(tx: Reading, change: Kept) -> frozenset[str]:
    """The freezes into which it is let, as it is told now."""
    given = change.body.get(FIELD, ())
    told = content(replace(stored(tx, change.number), body=change.body)) if given else ""
    found = {
        number
        for one in (versions(tx, change.number) if given else ())
        if one.transition == EXEMPT and content(one) == told
        for number in one.body.get(FIELD, ())
    }
    return frozenset(found.intersection(given))


@guard(CHANGE, EXEMPT)
def from_freezes(attempt: Attempt) -> None:
    """A change is exempted from freezes, and from nothing else."""
    told = attempt.after.body.get(FIELD, ())
    faults = [
        (f"body.{FIELD}[{place}]", f"{number} is no freeze")
        for place, number in enumerate(told)
        if stored(attempt.tx, number).kind != FREEZE
    ]
    if faults:
        raise invalid(faults)


@guard(CHANGE, *OTHERS)
def by_exemption_alone(attempt: Attempt) -> None:
    """Nobody exempts a change by writing that it is."""
    before = () if attempt.before is None else attempt.before.body.get(FIELD, ())
    if set(attempt.after.body.get(FIELD, ())) - set(before):
        raise invalid([(f"body.{FIELD}", f"is told by the transition {EXEMPT} alone")])
