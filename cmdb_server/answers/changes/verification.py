"""After a change: the graph before and after held against what was expected. Done, missing, or not planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cmdb_server.answers.changes.excused import SEEN_WITHIN
from cmdb_server.answers.diff import RELATION, Difference, differences
from cmdb_server.answers.history import Graph
from cmdb_server.answers.seen import as_seen, graph_seen, in_whole
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Conflict, NotFound
from cmdb_server.model import instants
from cmdb_server.practices.booked import CHANGE, windows_of
from cmdb_server.practices.expected import Expectation, expectations
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

BEGUN = ("implement", "review", "closed")
PARENT = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one expectation: ``done``, ``already`` so before, or ``missing``."""

    expected: Expectation
    result: str


@dataclass(frozen=True, slots=True)
class Verification:
    """A change between ``before`` and ``after`` (ms), a day after its end at most: scans come late. ``unplanned``: what differs at its CIs, their components and
    relations without having been expected. ``holds``: nothing is missing, nothing unplanned."""

    number: str
    revision: int
    before: int
    after: int
    outcomes: tuple[Outcome, ...]
    unplanned: tuple[Difference, ...]
    more: int
    holds: bool


def verify(projections: Projections, viewer: Viewer, number: str, limit: int = 100) -> Verification:
    """Hold a change that was begun against its expectations. Raises NotFound, Conflict for one that was not begun."""

    def work(tx: Reading) -> Verification:
        change = in_whole(tx, number)
        if change.kind != CHANGE:
            raise NotFound(f"there is no change {number}")
        if change.state not in BEGUN or "started_at" not in change.body:
            raise Conflict(f"{number} is {change.state}: it was not begun", state=change.state)
        start, end = _begun(change), projections.clock()
        if "ended_at" in change.body:
            end = min(end, instants.parse(change.body["ended_at"]) + SEEN_WITHIN)
        graphs = [graph_seen(tx, at, None, viewer) for at in (start, max(start, end))]
        return _verified(change, graphs[0], graphs[1], (start, end), limit)

    return as_seen(projections.store, viewer).read(work)


def _begun(change: Kept) -> int:
    """When it began to show: with its window, where somebody said only within that that it was begun."""
    said = instants.parse(change.body["started_at"])
    return min([said, *(start for one in windows_of(change) for start, _ in one.intervals((said, said + 1)))])


def _verified(change: Kept, before: Graph, after: Graph, span: tuple[int, int], limit: int) -> Verification:
    told = expectations(change.body.get("expected", ()))
    outcomes = tuple(Outcome(one, _result(one, before, after)) for one in told)
    scope = _scope(change, before, after)
    found = [left for one in differences(before, after) if _within(one, scope) and (left := _rest(one, told, after))]
    holds = not found and all(one.result != "missing" for one in outcomes)
    return Verification(
        change.number, after.revision, *span, outcomes, tuple(found[:limit]), max(0, len(found) - limit), holds
    )


def _result(one: Expectation, before: Graph, after: Graph) -> str:
    if one.edit == "set" and one.any_value:
        told = [_attribute(graph, one) for graph in (before, after)]
        return "done" if told[0] != told[1] else "missing"
    if not _holds(one, after):
        return "missing"
    return "already" if _holds(one, before) else "done"


def _holds(one: Expectation, graph: Graph) -> bool:
    """Whether a graph is as expected."""
    if one.edit == "remove":
        row = graph.cis.get(_living(graph, one.ci))
        return row is None or row[7] is not None
    if one.edit == "create":
        return any(row[1] == one.class_ and row[2] == one.name and row[7] is None for row in graph.cis.values())
    if one.edit == "set":
        return bool(_attribute(graph, one) == one.value)
    key = (_living(graph, one.from_), one.relation, _living(graph, one.to))
    found = next((row for row in graph.relations if row[:3] == key), None)
    if one.edit == "unrelate":
        return found is None
    return found is not None and one.group in (None, found[3]) and one.weight in (None, found[4])


def _living(graph: Graph, id_: str) -> str:
    try:
        return graph.resolve(id_)
    except NotFound:
        return id_


def _attribute(graph: Graph, one: Expectation) -> Any:
    row = graph.cis.get(_living(graph, one.ci))
    return None if row is None else {**row[5], "name": row[2]}.get(one.attribute)


def _scope(change: Kept, *graphs: Graph) -> set[str]:
    """The CIs that are changed, all their components, and what was expected to come or go."""
    scope = set(change.cis.get("changed", ()))
    for graph in graphs:
        new = {_living(graph, id_) for id_ in scope}
        while new:
            scope |= new
            new = {id_ for id_, row in graph.cis.items() if row[PARENT] in new} - scope
    return scope


def _within(one: Difference, scope: set[str]) -> bool:
    ends = (one.id[0], one.id[2]) if one.kind == RELATION else one.id
    return any(end in scope for end in ends)


def _rest(one: Difference, told: Sequence[Expectation], after: Graph) -> Difference | None:
    """What of a difference was not expected."""
    if one.kind == RELATION:
        return None if any(_explains_relation(each, one, after) for each in told) else one
    mine = [each for each in told if _living(after, each.ci) == one.id[0] or each.ci == one.id[0]]
    if one.change in ("removed", "ended") and any(each.edit == "remove" for each in mine):
        return None
    if one.change in ("created", "returned"):
        new = any(each.edit == "create" and (each.class_, each.name) == (one.class_, one.name) for each in told)
        return None if new else one
    expected = {each.attribute for each in mine if each.edit == "set"}
    values = {name: pair for name, pair in one.values.items() if name not in expected}
    if one.change == "changed" and not values:
        return None
    return Difference(one.kind, one.change, one.id, one.class_, one.name, values, one.into)


def _explains_relation(each: Expectation, one: Difference, after: Graph) -> bool:
    if each.edit == "remove":
        return one.change == "removed" and _living(after, each.ci) in (one.id[0], one.id[2])
    wanted = {"relate": ("created", "changed"), "unrelate": ("removed",)}.get(each.edit, ())
    return one.change in wanted and one.id == (_living(after, each.from_), each.relation, _living(after, each.to))
