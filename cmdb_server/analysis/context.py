"""What my failures add to what is down anyway: f(.) is the set of CIs down, S mine, X what else is booked or open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from cmdb_server.analysis.certificate import REACH
from cmdb_server.analysis.impact import Impact, impact
from cmdb_server.model.gates import State
from cmdb_server.projection.columns import Longs
from cmdb_server.projection.ordered import shared, without
from cmdb_server.projection.projection import Projection


@dataclass(frozen=True, slots=True, eq=False)
class MeetingPoint:
    """A gate that needs losses of both sides to go down, or ``REACH``: ``ci`` lost its ways to losses of both sides.
    ``with_``: each name in the context that suffices together with mine; when none does alone, one minimal group of
    them, and ``others_may_exist``."""

    gate: int
    ci: int
    with_: tuple[str, ...]
    minimal_group: bool
    others_may_exist: bool


@dataclass(frozen=True, slots=True, eq=False)
class InContext:
    """``already``: f(X). ``alone``: f(S) without f(X). ``anyway``: in both. ``together``: f(S and X) without either.
    Ascending CIs. ``mine``, ``others``, ``joint``: the whole answers to S, to X, and to both, with their
    certificates."""

    mine: Impact
    others: Impact
    joint: Impact
    already: Longs
    alone: Longs
    anyway: Longs
    together: Longs
    meeting_points: tuple[MeetingPoint, ...]


def in_context(
    projection: Projection,
    mine: Iterable[int],
    also: Mapping[str, Iterable[int]],
    not_impacted: Iterable[int] = (),
    most_points: int | None = None,
) -> InContext:
    """``mine`` failing while each of ``also`` (a name, such as that of a change or an incident, and its CIs) fails.
    ``most_points``: only so many meeting points are looked for, since each takes several answers; None: all."""
    sources, spared = list(mine), list(not_impacted)
    context = {name: list(cis) for name, cis in also.items()}
    everyone = [ci for cis in context.values() for ci in cis]
    one = impact(projection, sources, spared)
    other = impact(projection, everyone, spared)
    joint = impact(projection, [*sources, *everyone], spared)
    f_mine, f_also, f_joint = (np.sort(answer.down) for answer in (one, other, joint))
    together = without(f_joint, np.append(f_mine, f_also))
    return InContext(
        mine=one,
        others=other,
        joint=joint,
        already=f_also,
        alone=without(f_mine, f_also),
        anyway=shared(f_mine, f_also),
        together=together,
        meeting_points=_meeting_points(projection, (sources, context, spared), joint, (f_mine, f_also), most_points),
    )


def _meeting_points(
    projection: Projection,
    asked: tuple[list[int], dict[str, list[int]], list[int]],
    joint: Impact,
    apart: tuple[Longs, Longs],
    most: int | None,
) -> tuple[MeetingPoint, ...]:
    """The gates of the answer whose members lost come from both sides, of CIs that fell only together."""
    sides = [np.isin(np.arange(len(projection)), down) for down in apart]
    fell = ~(sides[0] | sides[1])
    gates, network = joint.gates(), projection.network()
    runs, found = _Runs(projection, *asked), list[MeetingPoint]()
    matters = fell & (False if network is None else network.matters)
    earliest = min(joint.rank[matters[joint.ci]].tolist(), default=len(projection))
    for row in np.flatnonzero(fell[joint.ci] & (joint.state == State.DOWN)).tolist():
        gate, ci = int(gates[row]), int(joint.ci[row])
        members = projection.members_of(gate) if gate >= 0 else np.empty(0, np.int32)
        # Where members fell only together too, or what is on the way, the sides met further down: there is the point.
        by_paths = gate == REACH or gate in joint.cut.dependencies.gate
        later = by_paths and joint.rank[row] > earliest
        if not later and not fell[members[np.isin(members, joint.down)]].any():
            if len(found) == most:
                break
            found.append(runs.met(gate, ci))
    return tuple(found)


@dataclass(slots=True, eq=False)
class _Runs:
    """Who falls with which of the context, each asked once."""

    projection: Projection
    mine: list[int]
    context: dict[str, list[int]]
    spared: list[int]
    known: dict[frozenset[str], set[int]] = field(default_factory=dict)

    def falls(self, ci: int, names: Iterable[str]) -> bool:
        """Whether ``ci`` is down when mine and all of ``names`` fail."""
        key = frozenset(names)
        if key not in self.known:
            cis = [one for name in key for one in self.context[name]]
            self.known[key] = set(impact(self.projection, [*self.mine, *cis], self.spared).down.tolist())
        return ci in self.known[key]

    def met(self, gate: int, ci: int) -> MeetingPoint:
        """The meeting point, with those who suffice."""
        single = tuple(name for name in self.context if self.falls(ci, [name]))
        if single:
            return MeetingPoint(gate, ci, single, False, False)
        group = list(self.context)
        for name in list(self.context):
            rest = [one for one in group if one != name]
            if self.falls(ci, rest):
                group = rest
        return MeetingPoint(gate, ci, tuple(group), True, True)
