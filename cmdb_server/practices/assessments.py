"""Assessments of changes as they are kept, the approvals asked with them, and what a change may not do without.

An assessment holds until the change is edited or the graph moves on. Assessed again, it stays the same one as long as
what people decide upon is the same; else it is superseded, and every approval of it void.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cmdb_server.errors import Conflict, Forbidden, Invalid
from cmdb_server.practices import kept
from cmdb_server.practices.booked import CHANGE, windows_of
from cmdb_server.practices.content import content
from cmdb_server.practices.freezes import keep_to_freezes
from cmdb_server.practices.guards import Attempt, effect, guard
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_rows import Kept, about, one_in
from cmdb_server.practices.kind import PRACTICE
from cmdb_server.store.port import Reading, Store, Writing
from cmdb_server.store.tables import FEED

ASSESSMENT, APPROVAL = "assessment", "approval"
AUTHORISED = ("authorise", "scheduled", "implement")
"""States of a change in which its approvals count."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What an assessment is to be kept of: see its kind."""

    change: str
    version: int
    graph: int
    substance: str
    score: int
    result: Mapping[str, Any]


def keep(store: Store, found: Finding, subject: str, now_ms: int) -> Kept:
    """Keep what was found. Raises Conflict when the change has been edited since."""
    return store.write(lambda tx: _keep(tx, found, By(subject, (PRACTICE,), now_ms)))


def _keep(tx: Writing, found: Finding, by: By) -> Kept:
    change = one_in(tx, found.change)
    if change.version != found.version:
        raise Conflict(f"{change.number} was edited while it was assessed: try again", outdated=True)
    body = {
        "change": change.number, "content": content(change), "graph": found.graph, "substance": found.substance,
        "score": found.score, "result": dict(found.result),
    }  # fmt: skip
    before = current(tx, change.number)
    if before is not None and _same(before.body, body):
        return kept.edited(tx, before.number, before.version, body, by)
    if before is not None:
        kept.moved(tx, before.number, "supersede", by)
        for approval in approvals(tx, before):
            if approval.state in ("requested", "approved"):
                kept.moved(tx, approval.number, "void", by)
    made = kept.opened(tx, ASSESSMENT, body, {}, by)
    if change.state in AUTHORISED:
        _ask(tx, made, by)
    return made


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[name] == other[name] for name in ("content", "substance"))


def current(tx: Reading, change: str) -> Kept | None:
    """The assessment of a change that was not superseded."""
    return next((one for one in reversed(about(tx, change, ASSESSMENT)) if one.state == "current"), None)


def approvals(tx: Reading, assessment: Kept) -> list[Kept]:
    """Those asked with an assessment, by their numbers."""
    return about(tx, assessment.number, APPROVAL)


def check_asked(tx: Reading, number: str) -> None:
    """Raises Conflict for an approval that is void, with the ``approvals`` that are asked for in its place."""
    approval = one_in(tx, number)
    if approval.state != "void":
        return
    change, approver = approval.body["change"], approval.body.get("approver")
    found = current(tx, change)
    asked = [one for one in (approvals(tx, found) if found else ()) if one.state == "requested"]
    instead = [one.number for one in asked if one.body.get("approver") == approver]
    words = f"in its place {', '.join(instead)} asks you" if instead else "nothing asks for it now"
    raise Conflict(
        f"{number} is void: what {change} was assessed to do has changed since it was asked; {words}", approvals=instead
    )


def moved_since(tx: Reading, graph: int) -> bool:
    """Whether the graph moved on after a revision."""
    return next(iter(tx.between(FEED, "revision", graph, tx.revision)), None) is not None


def present(tx: Reading, change: Kept) -> Kept:
    """The assessment of the change as it is and the graph as it is. Raises Conflict, with ``outdated``, for none."""
    found = current(tx, change.number)
    if found is None:
        raise Conflict(f"{change.number} was not assessed", outdated=True)
    if found.body["content"] != content(change):
        raise Conflict(f"{found.number} is of an older version of {change.number}: assess it again", outdated=True)
    if moved_since(tx, found.body["graph"]):
        raise Conflict(f"the graph moved on since {found.number}: assess {change.number} again", outdated=True)
    return found


@effect(CHANGE, "authorise")
def ask_approvals(tx: Writing, attempt: Attempt) -> None:
    """Ask the owners of all services that are hit; an emergency asks nobody."""
    found = current(tx, attempt.after.number)
    if found is not None and attempt.after.body.get("type") == "normal":
        _ask(tx, found, By(attempt.subject, (PRACTICE,), attempt.now_ms))


def _ask(tx: Writing, assessment: Kept, by: By) -> None:
    """Of services that nobody owns, and of the requester's own, any approver is asked: nobody approves their own. Who was
    asked with the same assessment is not asked again, unless they refused."""
    told = assessment.body["result"].get("approvals", ())
    requester = one_in(tx, assessment.body["change"]).subject
    services: dict[str, list[str]] = {}
    for one in told:
        approver = one["owner"] if one["owner"] != requester else None
        services.setdefault(approver or "", []).append(one["service"]["id"])
    waiting = {who for who, one in _latest(tx, assessment).items() if one.state in ("requested", "approved")}
    for approver, ids in sorted(services.items()):
        if approver in waiting:
            continue
        body = {"change": assessment.body["change"], "assessment": assessment.number, "approver": approver}
        kept.opened(tx, APPROVAL, body, {"service": ids}, by)


@guard(CHANGE, "authorise")
def assessed(attempt: Attempt) -> None:
    """A normal change is put to its approvers with an assessment that holds."""
    if attempt.after.body.get("type") == "normal":
        present(attempt.tx, attempt.after)


@guard(CHANGE, "schedule", "implement")
def let_through(attempt: Attempt) -> None:
    """No change is booked or begun against the calendar, without its approvals, or into a collision unawares."""
    change = attempt.after
    if not change.cis.get("changed"):
        return
    found = present(attempt.tx, change)
    result, emergency = found.body["result"], change.body.get("type") == "emergency"
    keep_to_freezes(attempt, result["conditions"])
    if change.body.get("type") == "standard":
        _keep_to_template(change, result)
    elif not emergency:
        _all_approved(attempt.tx, found)
    colliding = sorted({number for one in result["collisions"] for met in one["meetings"] for number in met["numbers"]})
    if colliding and not attempt.note.strip():
        message = f"is needed: {change.number} is fatal together with {', '.join(colliding)}; say why all the same"
        raise Invalid(f"note: {message}", errors=[{"path": "note", "message": message}], collisions=colliding)


def _keep_to_template(change: Kept, result: Mapping[str, Any]) -> None:
    faults = result["template_faults"]
    if faults:
        raise Conflict(f"{change.number} does not keep to its template: {'; '.join(faults)}", faults=list(faults))


def _latest(tx: Reading, assessment: Kept) -> dict[str, Kept]:
    """The last that each approver was asked for."""
    return {one.body.get("approver", ""): one for one in approvals(tx, assessment)}


def _all_approved(tx: Reading, assessment: Kept) -> None:
    open_ = [one for one in _latest(tx, assessment).values() if one.state != "approved"]
    if open_:
        names = [f"{one.number} of {one.body.get('approver') or 'any approver'} ({one.state})" for one in open_]
        raise Conflict(f"not approved by all: {', '.join(names)}", approvals=[one.number for one in open_])


@guard(CHANGE, "implement")
def in_time(attempt: Attempt) -> None:
    """What is begun outside of its windows was assessed for other times: that needs a note."""
    now = attempt.now_ms
    within = any(one.intervals((now, now + 1)) for one in windows_of(attempt.after))
    if not within and not attempt.note.strip():
        message = f"is needed: {attempt.after.number} is not booked for now; say why all the same"
        raise Invalid(f"note: {message}", errors=[{"path": "note", "message": message}])


@guard(APPROVAL, "approve", "reject")
def decides(attempt: Attempt) -> None:
    """Whose approval it is decides it, and nobody their own; only of what holds."""
    approval = attempt.after
    change = one_in(attempt.tx, approval.body["change"])
    approver = approval.body.get("approver")
    if approver and approver != attempt.subject:
        raise Forbidden(f"{approval.number} is for {approver!r} to decide, not {attempt.subject!r}")
    if not approver and not attempt.roles & {"approver", "admin"}:
        raise Forbidden(f"{approval.number} is for approvers to decide")
    if attempt.subject == change.subject:
        raise Forbidden(f"{attempt.subject!r} asked for {change.number}, which somebody else has to approve")
    if attempt.transition == "approve":
        found = present(attempt.tx, change)
        if found.number != approval.body["assessment"]:
            raise Conflict(f"{approval.number} was asked with {approval.body['assessment']}, which no longer holds")


def scores(tx: Reading, changes: Iterable[str]) -> dict[str, int]:
    """The risk that each change was last assessed with, of those that were."""
    found = {number: about(tx, number, ASSESSMENT) for number in changes}
    return {number: told[-1].body["score"] for number, told in found.items() if told}
