"""Why one CI is affected: made from the columns of an answer, only for what is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.certificate import OWN, REACH
from cmdb_server.analysis.impact import Impact
from cmdb_server.model.gates import State, Threshold

SHOWN_MEMBERS = 20


@dataclass(frozen=True, slots=True)
class GateCount:
    """A gate with its members counted, in members or in weight. ``lost``: down; ``limping``: degraded. ``holding``:
    some of the members that still serve fully."""

    gate: int
    limits: Threshold
    lost: int
    limping: int
    holding: tuple[int, ...]

    @property
    def serving(self) -> int:
        return self.limits.total - self.lost

    @property
    def margin(self) -> int:
        """How much more may be lost before the gate is down; negative when it is."""
        return self.serving - self.limits.need


@dataclass(frozen=True, slots=True)
class Step:
    """One CI on the way, and the gate that passed it on to this CI; None for the one that failed by itself, and for
    one that is ``cut_off`` from its gateways by the step before."""

    ci: int
    gate: int | None
    cut_off: bool = False


class Explanation:
    """Looks into one answer."""

    def __init__(self, answer: Impact) -> None:
        self.answer = answer
        size = len(answer.projection)
        self._state = np.zeros(size, np.uint8)
        self._rank = np.full(size, -1, np.int32)
        self._row = np.full(size, -1, np.int32)
        self._state[answer.ci], self._rank[answer.ci] = answer.state, answer.rank
        self._row[answer.ci] = np.arange(len(answer.ci))
        self._gate = answer.gates()

    def state(self, ci: int) -> State:
        return State(int(self._state[ci]))

    def gate(self, ci: int) -> int | None:
        """The gate by which the CI is affected; None when it failed by itself, is cut off, or is not affected."""
        row = int(self._row[ci])
        gate = int(self._gate[row]) if row >= 0 else OWN
        return None if gate < 0 else gate

    def cut_off(self, ci: int) -> bool:
        """Whether the CI is down because no path to a gateway of its own is left."""
        row = int(self._row[ci])
        return row >= 0 and int(self._gate[row]) == REACH

    def path(self, ci: int) -> tuple[Step, ...]:
        """From a CI that failed by itself to this one, by members of strictly falling rank seen from its end."""
        steps = [Step(ci, self.gate(ci), self.cut_off(ci))]
        while (before := self._before(steps[-1])) is not None:
            steps.append(Step(before, self.gate(before), self.cut_off(before)))
        return tuple(reversed(steps))

    def _before(self, step: Step) -> int | None:
        here = step.ci
        if step.cut_off:
            return self._cutter(here)
        if step.gate is None:
            return None
        members = self.answer.projection.members_of(step.gate)
        wanted = State.DOWN if self._state[here] == State.DOWN else State.DEGRADED
        fit = members[(self._state[members] >= wanted) & (self._rank[members] < self._rank[here])]
        return int(fit[np.argmin(self._rank[fit])])

    def _cutter(self, ci: int) -> int | None:
        """The nearest device or port, down before ``ci``, on a way that it had to a gateway."""
        network = self.answer.projection.network()
        assert network is not None
        fallen = (self._state == State.DOWN) & (self._rank < self._rank[ci])
        for way in network.ways(ci):
            for one in way:
                if fallen[one]:
                    return one
        return None

    def count(self, gate: int) -> GateCount:
        """The arithmetic of a gate in this answer."""
        projection = self.answer.projection
        members, weight = projection.members_of(gate), projection.weights_of(gate)
        state = self._state[members]
        holding = members[state == State.UP][:SHOWN_MEMBERS]
        return GateCount(
            gate,
            projection.threshold(gate),
            int(weight[state == State.DOWN].sum()),
            int(weight[state == State.DEGRADED].sum()),
            tuple(holding.tolist()),
        )
