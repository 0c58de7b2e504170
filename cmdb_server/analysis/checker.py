"""Verifies a whole answer without the engine: no code, list or threshold of it is used, only the table of gates.

(a) Each claim follows from members of strictly lower rank: without ranks a cycle would prove itself. (b) The rest is
closed: no gate is worse than what is said of its consumer. (a) and (b) together say: the least fixpoint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.certificate import OWN, REACH, Certificate, Numbers
from cmdb_server.analysis.path_checker import check_paths
from cmdb_server.projection.columns import Bools
from cmdb_server.projection.projection import Projection

UP, DEGRADED, DOWN = 0, 1, 2


def check(projection: Projection, claim: Certificate) -> list[str]:
    """What is wrong with the claim, in words; nothing when it is the answer."""
    problems = _shape(projection, claim)
    if problems:
        return problems
    state = np.zeros(len(projection), np.int64)
    rank = np.full(len(projection), np.iinfo(np.int64).max)
    state[claim.ci], rank[claim.ci] = claim.state, claim.rank
    table = _Table.of(projection)
    losses = _Losses.of(table, claim, state, rank)
    if losses is None:
        return ["a member is cut off that the gate does not have"]
    return [
        *_asked(claim),
        *_follows(table, claim, losses, (state, rank)),
        *_closed(table, claim, losses, state),
        *check_paths(projection, claim, state, rank),
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Gates in use, with thresholds by gate; ``gate``, ``provider`` and ``weight`` are one row a member."""

    number: Numbers
    consumer: Numbers
    need: Numbers
    want: Numbers
    full: Numbers
    total: Numbers
    gate: Numbers
    provider: Numbers
    weight: Numbers

    @classmethod
    def of(cls, projection: Projection) -> _Table:
        gates = projection.gates
        number = projection.listed.gate[_ranges(projection.gates_of.first, projection.gates_of.last)].astype(np.int64)
        size = gates.last[number].astype(np.int64) - gates.first[number]
        gate = np.repeat(np.arange(len(number)), size)
        row = _ranges(gates.first[number], gates.last[number])
        rule = gates.rule[number]
        weighted = np.asarray([rule_.kind == "weighted" for rule_ in projection.rules.gates.values])[rule]
        weight = np.where(weighted[gate], projection.members.weight[row], 1).astype(np.int64)
        total = np.bincount(gate, weight, len(number)).astype(np.int64)
        need, want, full = _thresholds(projection, rule, total)
        return cls(
            number, gates.consumer[number].astype(np.int64), need, want, full, total, gate,
            projection.members.provider[row].astype(np.int64), weight,
        )  # fmt: skip

    def sums(self, counts: Bools) -> Numbers:
        """By gate, the weight of the members for which ``counts`` is true."""
        return np.bincount(self.gate, self.weight * counts, len(self.number)).astype(np.int64)

    def state(self, lost: Numbers, soft: Numbers) -> Numbers:
        """By gate, its state when ``lost`` is down and ``soft`` is down or degraded."""
        limping = (self.total - soft < self.full) | (self.total - lost < self.want)
        state = np.where(self.total - lost < self.need, DOWN, np.where(limping, DEGRADED, UP))
        return np.where(self.total > 0, state, UP)


NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, eq=False)
class _Losses:
    """By row of a table's members: the round since which it is ``lost``, and since which it is lost or degraded."""

    lost: Numbers
    soft: Numbers

    @classmethod
    def of(cls, table: _Table, claim: Certificate, state: Numbers, rank: Numbers) -> _Losses | None:
        """As claimed; None when a member is cut off from a gate that does not have it."""
        place = np.full(int(max(table.number.max(initial=0), claim.cut_gate.max(initial=0))) + 1, -1)
        place[table.number] = np.arange(len(table.number))
        size = len(state)
        words = table.gate * size + table.provider
        cut = place[claim.cut_gate] * size + claim.cut_provider
        if not np.isin(cut, words).all():
            return None
        order = np.argsort(words)
        away = np.full(len(words), NEVER)
        away[order[np.searchsorted(words, cut, sorter=order)]] = claim.cut_rank
        bears = (table.need < table.total)[table.gate] & np.isin(table.provider, claim.lost_before)
        lost = np.minimum(np.where(state[table.provider] == DOWN, rank[table.provider], NEVER), away)
        lost[bears] = -1
        return cls(lost, np.minimum(lost, np.where(state[table.provider] > UP, rank[table.provider], NEVER)))


def _thresholds(projection: Projection, rule: Numbers, total: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    need, want, full = total.copy(), total.copy(), total.copy()
    for code, gate in enumerate(projection.rules.gates.values):
        rows = rule == code
        of = total[rows]
        if gate.kind == "degrade_only":
            need[rows] = 0
        elif gate.kind != "all":
            asked = gate.t if gate.kind == "weighted" else gate.k
            hundredths = np.full_like(of, 100 * asked) if asked is not None else of * (gate.percent or 0)
            # The least whole number that reaches the hundredths, or that exceeds them.
            enough = (hundredths // 100 + 1) if gate.inclusive else ((hundredths + 99) // 100)
            need[rows] = full[rows] = np.minimum(enough, of)
            usual = of if gate.kind == "weighted" else need[rows]
            want[rows] = np.maximum(need[rows], usual if gate.want is None else np.minimum(gate.want, of))
    return need, want, full


def _shape(projection: Projection, claim: Certificate) -> list[str]:
    problems = []
    if claim.revision != projection.revision:
        problems.append(f"revision {claim.revision}, not {projection.revision}")
    columns = (claim.state, claim.rank, claim.gate)
    cut = {len(claim.cut_gate), len(claim.cut_provider), len(claim.cut_rank)}
    if any(len(column) != len(claim.ci) for column in columns) or len(claim.held) != len(claim.lost) or len(cut) > 1:
        return [*problems, "columns differ in length"]
    for what, column, size in (
        ("CI", claim.ci, len(projection)),
        ("gate", claim.gate[(claim.gate != OWN) & (claim.gate != REACH)], len(projection.gates)),
        ("gate", claim.held, len(projection.gates)),
        ("gate", claim.cut_gate, len(projection.gates)),
        ("CI", claim.cut_provider, len(projection)),
    ):
        if len(column) and not (column.min() >= 0 and column.max() < size):
            problems.append(f"a {what} that is not there")
    if len(np.unique(claim.ci)) != len(claim.ci):
        problems.append("a CI is named twice")
    if not np.isin(claim.state, (DEGRADED, DOWN)).all():
        problems.append("a state that is neither degraded nor down")
    if claim.down_only and ((claim.state != DOWN).any() or len(claim.held)):
        problems.append("more is said than who is down")
    if (claim.state[claim.gate == REACH] != DOWN).any():
        problems.append("cut off and yet not down")
    return problems


def _asked(claim: Certificate) -> list[str]:
    """What failed by itself is what was asked, and what was excluded is untouched."""
    problems = []
    own = claim.gate == OWN
    down, limping = (
        set(claim.ci[own & (claim.state == DOWN)].tolist()),
        set(claim.ci[own & (claim.state == 1)].tolist()),
    )
    fell = set(claim.ci[claim.state == DOWN].tolist())
    if down != set(claim.failed.tolist()):
        problems.append("those down by themselves are not those that failed")
    if limping != set(claim.limping.tolist()) - fell:
        problems.append("those degraded by themselves are not those that were said to be")
    if set(claim.excluded.tolist()) & set(claim.ci.tolist()):
        problems.append("an excluded CI is affected")
    return problems


def _follows(table: _Table, claim: Certificate, losses: _Losses, told: tuple[Numbers, Numbers]) -> list[str]:
    """(a): by the members of lower rank alone, the named gate is as bad as the claim."""
    _, rank = told
    derived = np.flatnonzero(claim.gate >= 0)
    place = np.full(int(table.number.max(initial=0)) + 1, -1)
    place[table.number] = np.arange(len(table.number))
    named = claim.gate[derived]
    known = named < len(place)
    at = np.where(known, place[np.minimum(named, len(place) - 1)], -1)
    wrong = (at < 0) | (table.consumer[at] != claim.ci[derived])
    mine = rank[table.consumer[table.gate]]
    fires = table.state(table.sums(losses.lost < mine), table.sums(losses.soft < mine))
    unproven = ~wrong & (fires[at] < claim.state[derived])
    return [
        *(f"CI {ci}: the gate is not its own" for ci in claim.ci[derived][wrong].tolist()),
        *(f"CI {ci}: does not follow from members of lower rank" for ci in claim.ci[derived][unproven].tolist()),
    ]


def _closed(table: _Table, claim: Certificate, losses: _Losses, state: Numbers) -> list[str]:
    """(b): no gate is worse than its consumer, and the gates that hold are told with what they lost."""
    lost, soft = table.sums(losses.lost < NEVER), table.sums(losses.soft < NEVER)
    excluded = np.isin(table.consumer, claim.excluded)
    found = table.state(lost, soft)
    if claim.down_only:
        found = np.where(found == DOWN, DOWN, UP)
    worse = ~excluded & (found > state[table.consumer])
    problems = [f"CI {ci}: a gate is worse than is said" for ci in table.consumer[worse].tolist()]
    if claim.down_only:
        return problems
    holds = np.flatnonzero(~excluded & (lost > 0) & (state[table.consumer] != DOWN))
    told = dict(zip(claim.held.tolist(), claim.lost.tolist(), strict=True))
    true = dict(zip(table.number[holds].tolist(), lost[holds].tolist(), strict=True))
    if told != true or len(told) != len(claim.held):
        problems.append("the gates that hold are not those told, or lost something else")
    return problems


def _ranges(first: Numbers, last: Numbers) -> Numbers:
    """All numbers from each first up to its last, in turn."""
    size = last.astype(np.int64) - first
    total = int(size.sum())
    step = np.ones(total, np.int64)
    some = np.flatnonzero(size)
    start = np.cumsum(size)[some] - size[some]
    if total:
        step[start] = first[some]
        step[start[1:]] -= last[some][:-1] - 1
    return np.cumsum(step)
