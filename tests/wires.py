"""Who reaches whom over the wires of a world, by networkx: the definitions, and no code of the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from tests.worlds import World

LINK, HOLDS, ROUTES, RUNS = "connects_to", "contains", "routes_via", "runs_on"
CROSSING, PLACING = frozenset({"depends_on"}), frozenset({HOLDS, RUNS, "member_of"})


@dataclass(frozen=True)
class Wires:
    """``links``: device, device and what is at either end; ``holder``: of ports; ``gateways``: by device; ``stands_on``: by
    CI, what it stands on in the network."""

    links: list[tuple[int, int, int, int]]
    holder: dict[int, int]
    gateways: dict[int, set[int]]
    forwarding: set[int]
    stands_on: dict[int, set[int]]

    @classmethod
    def of(cls, world: World) -> Wires:
        pairs = [(a, type_, b) for a, type_, b, _, _ in world.relations if a != b and not {a, b} & world.retired]
        holder = {b: a for a, type_, b in pairs if type_ == HOLDS and world.class_of(b) == "port"}
        subnets = {ci for ci in range(world.size) if world.class_of(ci) == "subnet"}
        members, routes, gateways = dict[int, set[int]](), dict[int, set[int]](), dict[int, set[int]]()
        for a, type_, b in pairs:
            if type_ == "member_of":
                members.setdefault(b, set()).add(a)
        for a, type_, b in pairs:
            if type_ == ROUTES:
                routes.setdefault(a, set()).update(members.get(b, {b}))
        for ci, targets in routes.items():
            if ci not in subnets:
                gateways.setdefault(holder.get(ci, ci), set()).update(targets)
        for a, type_, b in pairs:
            for one, other in ((a, b), (b, a)) if type_ == LINK else ():
                if other in subnets and one not in subnets:
                    gateways.setdefault(holder.get(one, one), set()).update(routes.get(other, ()))
        links = [
            (holder.get(a, a), holder.get(b, b), a, b)
            for a, type_, b in pairs
            if type_ == LINK and not {a, b} & subnets and holder.get(a, a) != holder.get(b, b)
        ]
        routers = {holder.get(one, one) for targets in gateways.values() for one in targets}
        forwarding = {ci for ci in range(world.size) if world.class_of(ci) == "switch"} | routers
        stands_on: dict[int, set[int]] = {}
        for (consumer, type_, _), providers in world.gate_members().items():
            if type_ in PLACING:
                stands_on.setdefault(consumer, set()).update(providers)
        return cls(links, holder, gateways, forwarding, stands_on)

    def linked(self) -> set[int]:
        return {end for link in self.links for end in link[:2]}

    def live(self, down: set[int], *ends: int) -> nx.Graph[int]:
        """The links that are up, of forwarding devices and ``ends``."""
        graph: nx.Graph[int] = nx.Graph()
        graph.add_nodes_from(set(ends) - down)
        graph.add_edges_from(link[:2] for link in self.links if not set(link) & down)
        return graph.subgraph((self.forwarding | set(ends)) - down)  # type: ignore[no-any-return]

    def with_a_way(self, down: set[int]) -> set[int]:
        """The CIs, not down, that reach one of their gateways by way of forwarding devices, whole links and whole ports."""
        found, linked = set(), self.linked()
        for ci, targets in self.gateways.items():
            ends = {self.holder.get(one, one) for one in targets if not {one, self.holder.get(one, one)} & down}
            if ci in linked - down and ends & nx.node_connected_component(self.live(down, ci), ci):
                found.add(ci)
        return found

    def places(self, ci: int) -> set[int]:
        """The linked devices where it stands."""
        linked, seen, todo = self.linked(), {ci}, [ci]
        while todo:
            here = todo.pop()
            more = set() if here in linked else self.stands_on.get(here, set()) - seen
            seen |= more
            todo += more
        return seen & linked

    def in_touch(self, pair: tuple[int, int], down: set[int]) -> bool:
        """Whether some place of the one reaches some place of the other."""
        here, there = (self.places(end) - down for end in pair)
        return any(nx.has_path(self.live(down, one, other), one, other) for one in here for other in there)
