"""What my failures add to what is down anyway: f(.) is the set of CIs down, S mine, X what else is booked or open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.impact import Impact, impact
from cmdb_server.model.gates import State
from cmdb_server.projection.columns import Longs
from cmdb_server.projection.projection import Projection


@dataclass(frozen=True, slots=True, eq=False)
class MeetingPoint:
    """A gate that needs losses of both sides to go down. ``with_``: each name in the context that suffices together
    with mine; when none does alone, one minimal group of them, and ``others_may_exist``."""

    gate: int
    ci: int
    with_: tuple[str, ...]
    minimal_group: bool
    others_may_exist: bool


@dataclass(frozen=True, slots=True, eq=False)
class InContext:
    """``already``: f(X). ``alone``: f(S) without f(X). ``anyway``: in both. ``together``: f(S and X) without either.
    Ascending CIs. ``joint``: the whole answer to S and X."""

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
    together = np.setdiff1d(f_joint, np.union1d(f_mine, f_also))
    return InContext(
        joint=joint,
        already=f_also,
        alone=np.setdiff1d(f_mine, f_also),
        anyway=np.intersect1d(f_mine, f_also),
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
    gates = joint.gates()
    found: list[MeetingPoint] = []
    for row in np.flatnonzero(fell[joint.ci] & (gates >= 0) & (joint.state == State.DOWN)).tolist():
        gate, ci = int(gates[row]), int(joint.ci[row])
        members = projection.members_of(gate)
        # Where members fell only together too, the sides met further down: that gate is the meeting point.
        if not fell[members[np.isin(members, joint.down)]].any():
            if len(found) == most:
                break
            found.append(_met(projection, asked, gate, ci))
    return tuple(found)


def _met(
    projection: Projection, asked: tuple[list[int], dict[str, list[int]], list[int]], gate: int, ci: int
) -> MeetingPoint:
    mine, context, spared = asked

    def falls(names: Iterable[str]) -> bool:
        cis = [one for name in names for one in context[name]]
        return ci in impact(projection, [*mine, *cis], spared).down

    single = tuple(name for name in context if falls([name]))
    if single:
        return MeetingPoint(gate, ci, single, False, False)
    group = list(context)
    for name in list(context):
        rest = [one for one in group if one != name]
        if falls(rest):
            group = rest
    return MeetingPoint(gate, ci, tuple(group), True, True)
