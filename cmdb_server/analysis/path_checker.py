"""Verifies what an answer says of paths to gateways, without the engine's network, forest or search: from the relations
alone, by merging sets of devices."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.certificate import REACH, Certificate, Numbers
from cmdb_server.analysis.partition_checker import Live, check_partitions
from cmdb_server.projection.columns import Bools
from cmdb_server.projection.projection import Projection

DOWN = 2
Pairs = list[tuple[int, int]]


def check_paths(projection: Projection, claim: Certificate, state: Numbers, rank: Numbers) -> list[str]:
    """What is wrong with the claims of lost paths, in words. (a) Who is said to be cut off had a way, and has none
    around those of lower rank; (b) who has none left, and is not told to be spared, is down."""
    said = claim.gate == REACH
    wires = Wires.of(projection)
    if not wires.links:
        return ["there are no links, so nobody is cut off"] if said.any() or len(claim.cut_gate) else []
    gated = wires.with_a_way(np.zeros(len(projection), bool))
    problems = []
    for round_ in np.unique(claim.rank[said]).tolist():
        lower = (state == DOWN) & (rank < round_)
        have = wires.with_a_way(lower)
        here = claim.ci[said & (claim.rank == round_)].tolist()
        problems += [f"CI {ci}: is not cut off by those of lower rank" for ci in here if ci not in gated - have]
    down = state == DOWN
    left = gated - wires.with_a_way(down) - set(np.flatnonzero(down).tolist()) - set(claim.excluded.tolist())
    problems += [f"CI {ci}: has no path left and is not down" for ci in sorted(left)]
    return [*problems, *check_partitions(projection, claim, wires.live, (state, rank))]


@dataclass(frozen=True, slots=True)
class Wires:
    """``links``: device, device, and what is at either end; ``gateways``: by device, what it may be reached by;
    ``device``: of what belongs to one; ``forwards``: who passes on."""

    links: list[tuple[int, int, int, int]]
    gateways: dict[int, set[int]]
    device: dict[int, int]
    forwards: set[int]

    @classmethod
    def of(cls, projection: Projection) -> Wires:
        links = [pair for flow in projection.rules.flows if flow.link for pair in _pairs(projection, flow.name)]
        if not links:
            return cls([], {}, {}, set())
        device: dict[int, int] = {}
        for whole, part in _pairs(projection, "contains"):
            if _is(projection, part, projection.rules.parts):
                device[part] = whole
        device = {part: _outermost(part, device) for part in device}
        subnets = {ci for pair in links for ci in pair if _is(projection, ci, projection.rules.networks)}
        gateways = _gateways(projection, links, device, subnets)
        wires = [
            (device.get(a, a), device.get(b, b), a, b)
            for a, b in links
            if not {a, b} & subnets and device.get(a, a) != device.get(b, b)
        ]
        ends = {end for a, b, _, _ in wires for end in (a, b)}
        forwards = {ci for ci in ends if _is(projection, ci, projection.rules.forwarding)}
        forwards |= {device.get(one, one) for targets in gateways.values() for one in targets}
        return cls(wires, {ci: targets for ci, targets in gateways.items() if ci in ends}, device, forwards)

    def live(self, down: Bools) -> Live:
        """What is left of the wires while ``down`` are."""
        left = Live({}, defaultdict(set), self.forwards, {end for a, b, _, _ in self.links for end in (a, b)}, down)
        for a, b, one, other in self.links:
            if down[a] or down[b] or down[one] or down[other]:
                continue
            if a in self.forwards and b in self.forwards:
                left.group[left.top(a)] = left.top(b)
            left.beside[a].add(b)
            left.beside[b].add(a)
        return left

    def with_a_way(self, down: Bools) -> set[int]:
        """The CIs, not ``down``, that have a way to one of their gateways."""
        left = self.live(down)
        found = set()
        for ci, targets in self.gateways.items():
            ends = {self.device.get(one, one) for one in targets if not down[one]}
            goals = {left.top(end) for end in ends if not down[end]}
            if not down[ci] and (ci in ends or goals & left.parts(ci)):
                found.add(ci)
        return found


def _gateways(projection: Projection, links: Pairs, device: dict[int, int], subnets: set[int]) -> dict[int, set[int]]:
    members = defaultdict[int, set[int]](set)
    for member, whole in _pairs(projection, "member_of"):
        members[whole].add(member)
    routes, found = defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
    for client, target in _pairs(projection, "routes_via"):
        routes[client] |= members.get(target, {target})
    subnets = subnets | {ci for ci in routes if _is(projection, ci, projection.rules.networks)}
    for client, targets in routes.items():
        if client not in subnets:
            found[device.get(client, client)] |= targets
    for one, other in [*links, *((b, a) for a, b in links)]:
        if other in subnets and one not in subnets and other in routes:
            found[device.get(one, one)] |= routes[other]
    return dict(found)


def _pairs(projection: Projection, name: str) -> Pairs:
    wiring, code = projection.wiring, projection.rules.types.find(name)
    rows = np.flatnonzero(wiring.type == (-1 if code is None else code))
    both = zip(wiring.from_[rows].tolist(), wiring.to[rows].tolist(), strict=True)
    return [(a, b) for a, b in both if not (projection.retired[a] or projection.retired[b])]


def _outermost(part: int, device: dict[int, int]) -> int:
    for _ in range(8):
        if part not in device:
            break
        part = device[part]
    return part


def _is(projection: Projection, ci: int, classes: frozenset[str]) -> bool:
    return not classes.isdisjoint(projection.rules.lineage(projection.class_name(ci)))
