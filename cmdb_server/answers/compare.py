"""Two answers to one question of impact: at two times, or with and without edits. What became affected, what ceased
to be, and which gates make the difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from cmdb_server.analysis.explanation import Explanation
from cmdb_server.analysis.impact import Impact
from cmdb_server.analysis.impact import impact as computed
from cmdb_server.answers.asked_graph import AskedGraph, asked_graph
from cmdb_server.answers.gates_compared import Both, differing, gate_like
from cmdb_server.answers.impact import CRITICALITY, LIMIT, service_classes
from cmdb_server.answers.told import GateTold, Named, Teller, plain
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.what_if import Edit, Supposed, supposing, told
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.model.gates import State
from cmdb_server.projection.columns import Bools, Longs
from cmdb_server.projection.projection import GONE, Projection
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

Change = Literal["became", "worse", "better", "ceased"]
CHANGES: tuple[Change, ...] = ("became", "worse", "better", "ceased")


@dataclass(frozen=True, slots=True)
class Side:
    """The graph of one of the two answers: at ``at`` as known at ``known_at`` (ms; None: now), with ``edits``."""

    at: int | None = None
    known_at: int | None = None
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class SideTold:
    """``by_state``: how many are affected, those that fail by themselves among them. Times in ms."""

    revision: int
    at: int | None
    known_at: int | None
    supposed: tuple[Supposed, ...]
    by_state: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Changed:
    """``before`` and ``after``: up, degraded or down; None where the CI is not there."""

    ci: Named
    change: Change
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ChangedService:
    """With who answers for it; ``criticality`` and ``owner`` None where nobody told."""

    changed: Changed
    criticality: str | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class GateChanged:
    """A gate that lost, asks for or has otherwise than before; None on the side where there is no such gate."""

    ci: Named
    before: GateTold | None
    after: GateTold | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``services`` and ``cis`` list no CI twice, the worst change first; ``gates``: first those of CIs whose state
    changed. ``counts``: all CIs by change, whatever is listed; ``more``: how many are not listed."""

    before: SideTold
    after: SideTold
    failed: tuple[Named, ...]
    services: tuple[ChangedService, ...]
    cis: tuple[Changed, ...]
    gates: tuple[GateChanged, ...]
    counts: Mapping[str, int]
    more: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Plain values; ``class_`` as ``class``."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def compare(
    projections: Projections,
    viewer: Viewer,
    failed: Sequence[str],
    before: Side,
    after: Side,
    not_impacted: Sequence[str] = (),
    limit: int = LIMIT,
) -> Comparison:
    """What ``failed`` failing together does on one graph and on another. Raises as ``impact`` does; a CI that fails
    must be on both."""
    if not failed:
        raise Invalid("failed: name at least one CI", errors=[{"path": "failed", "message": "must not be empty"}])

    def work(reading: Reading) -> Comparison:
        def answered(side: Side, name: str) -> _Answered:
            view = asked_graph(projections, viewer, reading, side.at, side.known_at)
            view = supposing(view, viewer, side.edits, f"{name}.edits")
            answer = computed(view.projection, view.cis("failed", failed), view.cis("not_impacted", not_impacted))
            return _Answered(side, view, answer, Teller.of(view))

        return _Comparing(answered(before, "before"), answered(after, "after")).told(limit)

    return projections.store.read(work)


@dataclass(frozen=True, slots=True)
class _Answered:
    side: Side
    view: AskedGraph
    answer: Impact
    teller: Teller

    @property
    def graph(self) -> Projection:
        return self.view.projection

    def told(self) -> SideTold:
        states = Counter(State(value).name.lower() for value in self.answer.state.tolist())
        supposed = told(self.view, self.teller, self.side.edits)
        return SideTold(self.graph.revision, self.side.at, self.side.known_at, supposed, dict(states))


class _Comparing:
    """In the numbering of the graph after; CIs that it does not have follow behind its own."""

    def __init__(self, before: _Answered, after: _Answered) -> None:
        self.before, self.after = before, after
        self.there = _counterparts(before, after)
        alone = np.flatnonzero(self.there < 0)
        self.there[alone] = len(after.graph) + np.arange(len(alone))
        self.here = np.full(len(after.graph) + len(alone), -1, np.int64)
        self.here[self.there] = np.arange(len(self.there))
        self.states = np.zeros((2, len(self.here)), np.int64)
        self.states[0, self.there[before.answer.ci]] = before.answer.state
        self.states[1, after.answer.ci] = after.answer.state

    def told(self, limit: int) -> Comparison:
        rows, kinds = self._rows()
        services = self._are_services(rows)
        worst, others = rows[services], rows[~services]
        gates = self._gates(limit)
        listed = self._services(worst, limit)
        return Comparison(
            self.before.told(), self.after.told(),
            tuple(self.after.teller.named(ci) for ci in self.after.answer.failed.tolist()),
            listed, tuple(self._changed(row) for row in others[:limit].tolist()), gates[0],
            {name: int((kinds == place).sum()) for place, name in enumerate(CHANGES) if (kinds == place).any()},
            {"services": len(worst) - len(listed), "cis": max(0, len(others) - limit), "gates": gates[1]},
        )  # fmt: skip

    def _side(self, row: int) -> tuple[_Answered, int]:
        """Where the CI is: after if it can be."""
        return (self.after, row) if row < len(self.after.graph) else (self.before, int(self.here[row]))

    def _rows(self) -> tuple[Longs, Longs]:
        """(who is in another state, by which of ``CHANGES``), in that order, the worst states first."""
        was, is_ = self.states
        rows = np.flatnonzero(was != is_)
        was, is_ = was[rows], is_[rows]
        kinds = np.select([was == 0, is_ == 0, is_ > was], [0, 3, 1], 2)
        order = np.lexsort((rows, -was, -is_, kinds))
        return rows[order], kinds[order]

    def _are_services(self, rows: Longs) -> Bools:
        new, old = self.after.graph, self.before.graph
        among = service_classes(new)[new.class_of], service_classes(old)[old.class_of[self.here[len(new) :]]]
        found: Bools = np.concatenate(among)[rows]
        return found

    def _changed(self, row: int) -> Changed:
        side, ci = self._side(row)
        was, is_ = self.states[:, row].tolist()
        states = [State(value).name.lower() for value in (was, is_)]
        change: Change = "became" if not was else "ceased" if not is_ else "worse" if is_ > was else "better"
        return Changed(
            side.teller.named(ci), change,
            None if self.here[row] < 0 else states[0], None if row >= len(self.after.graph) else states[1],
        )  # fmt: skip

    def _services(self, rows: Longs, limit: int) -> tuple[ChangedService, ...]:
        """In the order of their change, the most critical of each first."""
        found = []
        for row in rows[: max(limit, 1000)].tolist():
            side, ci = self._side(row)
            id_ = side.graph.id(ci)
            values = {} if side.teller.is_hidden(ci) else side.view.attributes([id_]).get(id_, {})
            one = ChangedService(self._changed(row), values.get("business_criticality"), values.get("owned_by"))
            level = CRITICALITY.index(one.criticality) if one.criticality in CRITICALITY else len(CRITICALITY)
            found.append((CHANGES.index(one.changed.change), level, id_, one))
        return tuple(one[-1] for one in sorted(found, key=lambda one: one[:3])[:limit])

    def _gates(self, limit: int) -> tuple[tuple[GateChanged, ...], int]:
        """(the first of those that differ, how many more there are)."""
        sides = Both(self.before.answer, self.after.answer, self.there)
        rows = differing(sides, self.states[0] != self.states[1])
        explained = [Explanation(one.answer) for one in (self.before, self.after)]
        found = []
        for side, gate in rows[:limit]:
            own = (self.before, self.after)[side]
            consumer = int(own.graph.gates.consumer[gate])
            row = int(self.there[consumer]) if side == 0 else consumer
            pair = [gate_like(own.graph, gate, one.graph, ci) for one, ci in (
                (self.before, int(self.here[row])), (self.after, row if row < len(self.after.graph) else -1),
            )]  # fmt: skip
            words = [
                None if number is None else one.teller.gate(explanation.count(number))
                for one, explanation, number in zip((self.before, self.after), explained, pair, strict=True)
            ]
            found.append(GateChanged(own.teller.named(consumer), *words))
        return tuple(found), max(0, len(rows) - limit)


def _counterparts(before: _Answered, after: _Answered) -> Longs:
    """By CI of the graph before, who it is after; -1 where it is no more. What was merged since is one CI then."""
    known = before.graph.index.identities
    if known is after.graph.index.identities:
        found = np.arange(len(before.graph))
    else:
        found = after.graph.index.matching(known.high, known.low)
        affected = before.answer.ci[found[before.answer.ci] < 0]
        taken = set(found.tolist())
        for ci in affected.tolist():
            heir = _heir(after, before.graph.id(ci))
            if heir >= 0 and heir not in taken:
                found[ci] = heir
                taken.add(heir)
    gone = found >= 0
    gone[gone] = after.graph.retired[found[gone]]
    gone[before.answer.failed] = False
    found[gone | (before.graph.ended_at == GONE)] = -1
    return found


def _heir(after: _Answered, id_: str) -> int:
    try:
        return after.graph.ci(after.view.living(id_))
    except NotFound:
        return -1
