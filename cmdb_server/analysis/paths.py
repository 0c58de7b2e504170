"""How one CI's failure can reach another: the shortest way from provider to consumer, whatever the gates say."""

from __future__ import annotations

import numpy as np

from cmdb_server.analysis.explanation import Step
from cmdb_server.projection.columns import Ints
from cmdb_server.projection.ordered import distinct
from cmdb_server.projection.projection import Projection


def path(projection: Projection, source: int, target: int) -> tuple[Step, ...]:
    """From ``source`` to ``target`` by the fewest gates; empty when there is no way. Each step's gate is the one that
    counts the step before it: a redundant gate on the way may hold, so a way is not yet an impact."""
    gate_of = np.full(len(projection), -1, np.int64)
    seen = np.zeros(len(projection), bool)
    seen[target] = True
    frontier = np.asarray([target])
    while len(frontier) and not seen[source]:
        gate, provider = projection.providers_of(frontier)
        new = np.flatnonzero(~seen[provider])
        seen[provider[new]] = True
        gate_of[provider[new]] = gate[new]
        frontier = distinct(provider[new].astype(np.int64))
    if not seen[source]:
        return ()
    steps = [Step(source, None)]
    while steps[-1].ci != target:
        gate_number = int(gate_of[steps[-1].ci])
        steps.append(Step(int(projection.gates.consumer[gate_number]), gate_number))
    return tuple(steps)


def way_up(projection: Projection, hops: Ints, target: int) -> tuple[Step, ...]:
    """A shortest way to ``target`` from a CI at 0 hops. ``hops``: of each CI from there upwards, by its number; -1 for
    those that do not stand on it. ``target`` has hops."""
    steps: list[Step] = []
    here = target
    while (distance := int(hops[here])) > 0:
        gate, before = next(
            (int(gate), one)
            for gate in projection.gates_by(here)
            for one in projection.members_of(int(gate)).tolist()
            if hops[one] == distance - 1
        )
        steps.append(Step(here, gate))
        here = before
    return (Step(here, None), *reversed(steps))
