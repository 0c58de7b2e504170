"""What proves an answer, in ids and words that stand by themselves: written for whoever doubts it, checked by what
shares no code with the engine, on the graph as it is told to be then."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from cmdb_server.analysis.certificate import OWN, REACH, Certificate
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.answers.asked_graph import AskedGraph, asked_graph
from cmdb_server.answers.proof_columns import NAMES, TOLD, Columns, certificate, columns
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.what_if import Edit, supposing
from cmdb_server.errors import Forbidden, Invalid
from cmdb_server.model.gates import State
from cmdb_server.projection.columns import Interned
from cmdb_server.projection.identities import words
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

T = TypeVar("T")
MOST = 50_000
"""Rows in a certificate that is written down in words; as columns there are as many as there have to be."""
ITSELF, CUT_OFF, BY_GATE = "itself", "cut_off", "gate"
_NUMBER = re.compile(r"CI (\d+)")
WHY: Mapping[str, int] = {ITSELF: OWN, CUT_OFF: REACH}
STATES = {state.name.lower(): int(state) for state in State}


@dataclass(frozen=True, slots=True)
class GateNamed:
    """A gate by what it is of: its consumer, the type of its relations, and the group or class that it is over."""

    consumer: str
    relation: str
    over: str
    grouped: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """``ci`` is in ``state``, as members of lower ``rank`` say: because of ``gate``; None with ``why`` ``itself`` for
    what failed, ``cut_off`` for what no way is left to."""

    ci: str
    state: str
    rank: int
    why: str
    gate: GateNamed | None


@dataclass(frozen=True, slots=True)
class Held:
    """A gate that holds, having lost so much."""

    gate: GateNamed
    lost: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A member that is up, lost to a gate because no way leads to it any more, from ``rank`` on."""

    gate: GateNamed
    provider: str
    rank: int


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: CIs by their ids, times in ms."""

    failed: Sequence[str]
    not_impacted: Sequence[str] = ()
    at: int | None = None
    known_at: int | None = None
    edits: Sequence[Edit] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """A whole answer with what proves it, on the graph of ``revision``."""

    revision: int
    failed: tuple[str, ...]
    not_impacted: tuple[str, ...]
    claims: tuple[Claim, ...]
    held: tuple[Held, ...]
    cut: tuple[Cut, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a proof on the graph of ``revision``, in words; nothing: it is the answer."""

    revision: int
    problems: tuple[str, ...]
    claims: int
    gates: int

    @property
    def holds(self) -> bool:
        return not self.problems


def proof(projections: Projections, viewer: Viewer, asked: Question) -> Proof:
    """The answer to a question, and what proves it. Raises as ``impact`` does, Forbidden for who does not see
    everything, Invalid for one of more than ``MOST`` rows."""

    def work(view: AskedGraph) -> Proof:
        return _Writing(view.projection).proof(_proved(view, asked))

    return _on_graph(projections, viewer, asked, work)


def proof_in_columns(projections: Projections, viewer: Viewer, asked: Question) -> Columns:
    """``proof`` of any size, as columns."""

    def work(view: AskedGraph) -> Columns:
        return columns(view.projection, _proved(view, asked))

    return _on_graph(projections, viewer, asked, work)


def verdict(projections: Projections, viewer: Viewer, asked: Question, told: Proof | Columns) -> Verdict:
    """Whether a proof holds on the graph that the question is about. Raises as ``proof`` does."""
    told = in_columns(told) if isinstance(told, Proof) else told

    def work(view: AskedGraph) -> Verdict:
        failed, spared = view.cis("failed", asked.failed), view.cis("not_impacted", asked.not_impacted)
        claim, problems = certificate(view, failed, spared, told)
        if not problems:
            wrong = check(view.projection, claim)
            problems = [_by_id(view.projection, one) for one in wrong[:TOLD]]
            problems += [f"and {len(wrong) - TOLD} more"] if len(wrong) > TOLD else []
        return Verdict(view.projection.revision, tuple(problems), len(claim.ci), len(claim.held))

    return _on_graph(projections, viewer, asked, work)


def _proved(view: AskedGraph, asked: Question) -> Certificate:
    failed, spared = view.cis("failed", asked.failed), view.cis("not_impacted", asked.not_impacted)
    return impact(view.projection, failed, spared).certificate()


def _on_graph(projections: Projections, viewer: Viewer, asked: Question, work: Callable[[AskedGraph], T]) -> T:
    if viewer.sight is not None:
        raise Forbidden("a proof names all that it rests on: it is for who sees everything")
    if not asked.failed:
        raise Invalid("failed: name at least one CI", errors=[{"path": "failed", "message": "must not be empty"}])

    def on(reading: Reading) -> T:
        view = asked_graph(projections, viewer, reading, asked.at, asked.known_at)
        return work(supposing(view, viewer, asked.edits))

    return projections.store.read(on)


@dataclass(frozen=True)
class _Writing:
    """From numbers to names."""

    projection: Projection

    def proof(self, found: Certificate) -> Proof:
        rows = len(found.ci) + len(found.held) + len(found.cut_gate)
        if rows > MOST:
            message = f"the proof has {rows} rows, and at most {MOST} are written down so: have it as columns"
            raise Invalid(f"failed: {message}", errors=[{"path": "failed", "message": message}])
        columns = (found.ci.tolist(), found.state.tolist(), found.rank.tolist(), found.gate.tolist())
        held = zip(found.held.tolist(), found.lost.tolist(), strict=True)
        cut = zip(found.cut_gate.tolist(), found.cut_provider.tolist(), found.cut_rank.tolist(), strict=True)
        return Proof(
            self.projection.revision, self._ids(found.failed), self._ids(found.excluded),
            tuple(self._claim(*row) for row in zip(*columns, strict=True)),
            tuple(Held(self._gate(gate), lost) for gate, lost in held),
            tuple(Cut(self._gate(gate), self.projection.id(ci), rank) for gate, ci, rank in cut),
        )  # fmt: skip

    def _ids(self, numbers: Any) -> tuple[str, ...]:
        return tuple(self.projection.id(ci) for ci in numbers.tolist())

    def _claim(self, ci: int, state: int, rank: int, gate: int) -> Claim:
        why = next((name for name, number in WHY.items() if number == gate), BY_GATE)
        return Claim(
            self.projection.id(ci), State(state).name.lower(), rank, why, self._gate(gate) if why == BY_GATE else None
        )

    def _gate(self, gate: int) -> GateNamed:
        projection = self.projection
        return GateNamed(
            projection.id(int(projection.gates.consumer[gate])), projection.relation_type(gate),
            projection.key_name(gate), int(projection.gates.key[gate]) >= 0,
        )  # fmt: skip


def in_columns(told: Proof) -> Columns:
    """The same as columns."""
    ids, relations, overs = (Interned[Any]() for _ in range(3))

    def gate(named: GateNamed) -> tuple[int, int, int]:
        return ids.code(named.consumer), relations.code(named.relation), overs.code((named.over, named.grouped))

    def claimed(one: Claim) -> tuple[int, int]:
        if one.why in WHY:
            return WHY[one.why], -1
        if one.gate is None or one.gate.consumer != one.ci:  # over nothing: there is no such gate
            return relations.code(""), -1
        return gate(one.gate)[1:]

    claims = [(ids.code(one.ci), STATES[one.state], one.rank, *claimed(one)) for one in told.claims]
    held = [(*gate(one.gate), one.lost) for one in told.held]
    cut = [(*gate(one.gate), ids.code(one.provider), one.rank) for one in told.cut]
    rows = [*_turned(claims, 5), *_turned(held, 4), *_turned(cut, 5)]
    high, low = words(ids.values)
    return Columns(
        told.revision, high, low, tuple(relations.values), tuple(overs.values), dict(zip(NAMES, rows, strict=True))
    )  # fmt: skip


def _turned(rows: Sequence[Sequence[int]], width: int) -> Iterator[Any]:
    yield from np.asarray(rows, np.int64).reshape(-1, width).T


def _by_id(projection: Projection, problem: str) -> str:
    """The checker knows CIs by their numbers."""
    return _NUMBER.sub(lambda found: f"CI {projection.id(int(found[1]))}", problem)
