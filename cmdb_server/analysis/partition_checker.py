"""Verifies what an answer says of dependencies whose ends have come apart, from the table of gates and the wires alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.certificate import Certificate, Numbers
from cmdb_server.projection.columns import Bools
from cmdb_server.projection.projection import Projection

DOWN = 2


@dataclass(frozen=True, slots=True)
class Live:
    """Wires that are left. ``group``: sets of ``forwards`` merged, each under its top; ``beside``: by device, who is
    wired to it; ``linked``: the devices that had wires while all was well."""

    group: dict[int, int]
    beside: defaultdict[int, set[int]]
    forwards: set[int]
    linked: set[int]
    down: Bools

    def top(self, ci: int) -> int:
        """The one that stands for the set of ``ci``."""
        while (above := self.group.setdefault(ci, ci)) != ci:
            self.group[ci] = self.group[above]
            ci = above
        return ci

    def parts(self, ci: int) -> set[int]:
        """The parts of the network that the device can enter."""
        return {self.top(one) for one in ({ci} if ci in self.forwards else self.beside[ci] & self.forwards)}

    def touch(self, some: Iterable[int], others: Iterable[int]) -> bool:
        """Whether any of ``some`` has a way to any of ``others``, all of them devices."""
        there = [other for other in others if not self.down[other]]
        goals = {part for other in there for part in self.parts(other)}
        return any(
            one in there or self.beside[one] & {*there} or self.parts(one) & goals for one in some if not self.down[one]
        )


def check_partitions(
    projection: Projection, claim: Certificate, live: Callable[[Bools], Live], told: tuple[Numbers, Numbers]
) -> list[str]:
    """What is wrong with the dependencies said to be cut. (a) Their ends were in touch, and are not around those down of
    lower rank; (b) every other dependency that matters has its ends in touch. ``told``: state and rank by CI."""
    state, rank = told
    well = live(np.zeros(len(projection), bool))
    ends = _Ends.of(projection, well.linked)
    over, excluded = ends.crossing, set(claim.excluded.tolist())
    said = list(zip(claim.cut_gate.tolist(), claim.cut_provider.tolist(), claim.cut_rank.tolist(), strict=True))
    problems = [] if len({row[:2] for row in said}) == len(said) else ["a dependency is cut twice"]
    for round_ in sorted({at for _, _, at in said}):
        left = live((state == DOWN) & (rank < round_))
        for gate, provider in ((gate, provider) for gate, provider, at in said if at == round_):
            consumer = over.get((gate, provider))
            if consumer is None or provider in excluded:
                problems.append(f"CI {provider}: is no provider that the network leads to")
            elif not ends.touch(well, consumer, provider) or ends.touch(left, consumer, provider):
                problems.append(f"CI {consumer}: is not cut off from CI {provider} by those of lower rank")
    final, known = live(state == DOWN), {row[:2] for row in said}
    for (gate, provider), consumer in over.items():
        quiet = state[consumer] == DOWN or state[provider] == DOWN or {consumer, provider} & excluded
        if quiet or (gate, provider) in known:
            continue
        if ends.touch(well, consumer, provider) and not ends.touch(final, consumer, provider):
            problems.append(f"CI {consumer}: has no way to CI {provider}, and it is not said")
    return problems


@dataclass(frozen=True, slots=True)
class _Ends:
    """``crossing``: (gate, provider) -> consumer, of the gates over the network; ``places``: by CI, the linked devices
    where it stands."""

    crossing: dict[tuple[int, int], int]
    stands_on: dict[int, set[int]]
    linked: set[int]
    places: dict[int, set[int]]

    @classmethod
    def of(cls, projection: Projection, linked: set[int]) -> _Ends:
        crossing, stands_on, flows = (
            dict[tuple[int, int], int](),
            defaultdict[int, set[int]](set),
            projection.rules.flows,
        )
        for consumer in range(len(projection)):
            for gate in projection.gates_by(consumer).tolist():
                flow, members = flows[int(projection.gates.type[gate])], projection.members_of(gate).tolist()
                if flow.crosses:
                    crossing |= {(gate, provider): consumer for provider in members}
                if flow.places:
                    stands_on[consumer] |= set(members)
        return cls(crossing, dict(stands_on), linked, {})

    def touch(self, left: Live, consumer: int, provider: int) -> bool:
        return left.touch(self._places(consumer), self._places(provider))

    def _places(self, ci: int) -> set[int]:
        if ci not in self.places:
            seen, todo = {ci}, [ci]
            while todo:
                here = todo.pop()
                more = set() if here in self.linked else self.stands_on.get(here, set()) - seen
                seen |= more
                todo += more
            self.places[ci] = seen & self.linked
        return self.places[ci]
