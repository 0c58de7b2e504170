"""Why one CI is affected: made from the columns of an answer, only for what is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.certificate import OWN, REACH
from cmdb_server.analysis.impact import Impact
from cmdb_server.analysis.partition import way
from cmdb_server.model.gates import State, Threshold

SHOWN_MEMBERS = 20


@dataclass(frozen=True, slots=True)
class GateCount:
    """A gate with its members counted, in members or in weight. ``lost``: down, or ``partitioned``: not down, but no way
    through the network leads there; ``limping``: degraded. ``holding``: some of the members that still serve fully; ``gone``: some of
    those that are lost."""

    gate: int
    limits: Threshold
    lost: int
    limping: int
    holding: tuple[int, ...]
    partitioned: int = 0
    gone: tuple[int, ...] = ()

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
    one that is ``cut_off`` from its gateways by the step before. ``partitioned_from``: the member of the gate from which
    the step before cut it off; None where the step before is the member itself."""

    ci: int
    gate: int | None
    cut_off: bool = False
    partitioned_from: int | None = None


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
        cut = answer.cut
        self._cut: dict[int, list[tuple[int, int]]] = {}
        for gate, provider, rank in zip(
            cut.dependencies.gate.tolist(), cut.dependencies.provider.tolist(), cut.rank.tolist(), strict=True
        ):
            self._cut.setdefault(gate, []).append((rank, provider))

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
        steps = [self._step(ci)]
        while (before := self._before(steps[-1])) is not None:
            steps.append(self._step(before))
        return tuple(reversed(steps))

    def _step(self, ci: int) -> Step:
        gate = self.gate(ci)
        if gate is not None and self._fallen_member(ci, gate) is None:
            return Step(ci, gate, partitioned_from=min(self._cut[gate])[1])
        return Step(ci, gate, self.cut_off(ci))

    def _before(self, step: Step) -> int | None:
        here = step.ci
        if step.cut_off:
            return self._cutter(here)
        if step.gate is None:
            return None
        if step.partitioned_from is not None:
            return self._parter(here, step.partitioned_from, min(self._cut[step.gate])[0])
        return self._fallen_member(here, step.gate)

    def _fallen_member(self, ci: int, gate: int) -> int | None:
        """The first of the gate's members to be as bad as ``ci``, before ``ci`` was."""
        members = self.answer.projection.members_of(gate)
        wanted = State.DOWN if self._state[ci] == State.DOWN else State.DEGRADED
        fit = members[(self._state[members] >= wanted) & (self._rank[members] < self._rank[ci])]
        return int(fit[np.argmin(self._rank[fit])]) if len(fit) else None

    def _cutter(self, ci: int) -> int | None:
        """The nearest device or port, down before ``ci``, on a way that it had to a gateway."""
        network = self.answer.projection.network()
        assert network is not None
        return self._first_fallen(network.ways(ci), int(self._rank[ci]))

    def _parter(self, consumer: int, provider: int, rank: int) -> int | None:
        """The device or port nearest to ``consumer``, down before ``rank``, on a way that it had to ``provider``."""
        network = self.answer.projection.network()
        assert network is not None
        return self._first_fallen(way(self.answer.projection, network, consumer, provider), rank)

    def _first_fallen(self, ways: Iterable[list[int]], rank: int) -> int | None:
        fallen = (self._state == State.DOWN) & (self._rank < rank)
        return next((one for way in ways for one in way if fallen[one]), None)

    def count(self, gate: int) -> GateCount:
        """The arithmetic of a gate in this answer."""
        projection = self.answer.projection
        members, weight = projection.members_of(gate), projection.weights_of(gate)
        state = self._state[members]
        away = np.isin(members, [provider for _, provider in self._cut.get(gate, ())])
        holding = members[(state == State.UP) & ~away][:SHOWN_MEMBERS]
        lost = (state == State.DOWN) | away
        return GateCount(
            gate,
            projection.threshold(gate),
            int(weight[lost].sum()),
            int(weight[(state == State.DEGRADED) & ~away].sum()),
            tuple(holding.tolist()),
            int(weight[away & (state != State.DOWN)].sum()),
            tuple(members[lost][:SHOWN_MEMBERS].tolist()),
        )
