"""Who is wired to whom, and by way of whom a CI reaches its gateways: links between devices over a spanning forest.

Interfaces belong to their device: a link joins two devices and names a port at each end, so that it falls with either.
Only forwarding devices (switches, routers, and whatever is a gateway) pass anything on. Networks are no links: a CI in
a network has that network's gateways.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from cmdb_server.projection.columns import Bools, Ints, Longs, spans
from cmdb_server.projection.ordered import distinct, within

if TYPE_CHECKING:
    from cmdb_server.projection.build import RelationColumns
    from cmdb_server.projection.projection import Projection
    from cmdb_server.projection.rules import Rules

CONTAINS, MEMBER_OF, ROUTES_VIA = "contains", "member_of", "routes_via"
NOTHING: Longs = np.empty(0, np.int64)
DEEPEST = 4
"""How many parts may stand between an interface and its device."""


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """A list for each CI: ``first`` to ``last`` of ``to``, with ``port`` and ``far`` beside it."""

    first: Ints
    last: Ints
    to: Longs
    near: Longs
    far: Longs

    @classmethod
    def of(cls, size: int, owner: Longs, to: Longs, near: Longs, far: Longs) -> Lists:
        order = np.argsort(owner, kind="stable")
        last = np.cumsum(np.bincount(owner, minlength=size)).astype(np.int32)
        return cls(np.append(np.zeros(1, np.int32), last[:-1])[:size], last, to[order], near[order], far[order])

    def rows(self, cis: Longs) -> tuple[Longs, Longs]:
        """(the CI, its row) for every row of the lists of ``cis``."""
        at = spans(self.first, self.last, cis).astype(np.int64) if len(cis) else np.empty(0, np.int64)
        return np.repeat(cis, self.last[cis] - self.first[cis]), at


DENSE = 8
"""Labels of which more than one in so many changed are written out whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The part of the network of every CI, -1 for none: ``whole``, but for those of ``ci``, which ascend, ``part``. So
    the cost is that of what changed."""

    whole: Longs
    ci: Longs
    part: Longs

    def but(self, ci: Longs, part: Longs) -> Labels:
        """With other parts for these CIs, instead of what was changed so far."""
        if len(ci) * DENSE > len(self.whole):
            whole = self.whole.copy()
            whole[ci] = part
            return Labels(whole, NOTHING, NOTHING)
        order = np.argsort(ci)
        return Labels(self.whole, ci[order], part[order])

    def of(self, cis: Longs) -> Longs:
        """The parts of these, in their order."""
        found = self.whole.take(cis)
        if len(self.ci):
            place = np.searchsorted(self.ci, cis)
            changed = self.ci.take(place, mode="clip") == cis
            found[changed] = self.part[place[changed]]
        return found

    def __len__(self) -> int:
        return len(self.whole)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """``links``: by device, the device at the other end and the port at either (the device itself where no port is
    told). ``forwards``, ``tree`` (number of its component, -1 for who does not forward), ``up`` (the row of
    ``links`` that leads to it from the root, -1 for roots) by CI. ``below``: by device, those whose ``up`` leads to it. ``gateways``: by CI, its
    gateways, ``far`` being the port by which; ``clients``: by gateway. ``gated``: the CIs that reach some gateway while
    all is well: only these can lose theirs. ``unknown``: linked CIs of which no gateway is known, or no way to it.
    ``matters``: whose failure can cut anything. ``holder``: by CI, the device that it is or belongs to."""

    links: Lists
    forwards: Bools
    tree: Longs
    up: Longs
    below: Lists
    gateways: Lists
    clients: Lists
    gated: Bools
    unknown: Longs
    matters: Bools
    holder: Longs

    def whole(self) -> Labels:
        """The parts of the network while all is well."""
        return Labels(self.tree, NOTHING, NOTHING)

    def ways(self, ci: int) -> Iterator[list[int]]:
        """For each gateway of ``ci``, the devices and ports on the forest's way there, nearest first."""
        start = [ci] if self.forwards[ci] else []
        rows = range(self.links.first[ci], self.links.last[ci]) if not start else range(0)
        for gateway in range(self.gateways.first[ci], self.gateways.last[ci]):
            end = int(self.gateways.to[gateway])
            last = [end, int(self.gateways.far[gateway])]
            for first in start:
                yield self._joined(first, end) + last
            for row in rows:
                far = int(self.links.to[row])
                if self.tree[far] == self.tree[end]:
                    ports = [int(self.links.near[row]), int(self.links.far[row])]
                    yield ports + self._joined(far, end) + last

    def between(self, one: int, other: int) -> Iterator[list[int]]:
        """The devices and ports between two linked devices, both included: over a link of their own, and over the
        forest."""
        if one == other:
            yield [one]
        ends = [[ci] if self.forwards[ci] else self._beside(ci) for ci in (one, other)]
        for row in range(self.links.first[one], self.links.last[one]):
            if self.links.to[row] == other:
                yield [one, int(self.links.near[row]), int(self.links.far[row]), other]
        for first in ends[0]:
            for last in ends[1]:
                if self.tree[first] == self.tree[last]:
                    ways = self._ports(one, first), self._ports(other, last)
                    yield ways[0] + self._joined(first, last) + ways[1][::-1]

    def _beside(self, ci: int) -> list[int]:
        """The forwarding devices that it is linked to."""
        to = self.links.to[self.links.first[ci] : self.links.last[ci]]
        return distinct(to[self.forwards[to]]).tolist()  # type: ignore[no-any-return]

    def _ports(self, ci: int, far: int) -> list[int]:
        """The CI and the ports of its links to ``far``."""
        rows = range(self.links.first[ci], self.links.last[ci])
        pairs = [(self.links.near[row], self.links.far[row]) for row in rows if self.links.to[row] == far]
        return [ci, *(int(port) for pair in pairs for port in pair)]

    def _joined(self, one: int, other: int) -> list[int]:
        """Up from ``one`` to the root they share, and down to ``other``."""
        up, down = self._rising(one), self._rising(other)
        # Every third is a device, with two ports between: what lies above the first that both share is on no way.
        while min(len(up), len(down)) > 3 and up[-4] == down[-4]:
            del up[-3:], down[-3:]
        return up + down[::-1]

    def _rising(self, ci: int) -> list[int]:
        way = [ci]
        while (row := int(self.up[ci])) >= 0:
            near, far = int(self.links.near[row]), int(self.links.far[row])
            ci = int(self.holder[near])
            way += [far, near, ci]
        return way


@dataclass(slots=True, eq=False)
class Wiring:
    """The relations that tell of the network, by CI number; the network itself is made when first asked for."""

    from_: Ints
    type: Ints
    to: Ints
    _made: Network | None = None
    _linked: bool | None = None
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, relations: RelationColumns, rules: Rules) -> Wiring:
        """Of all relations those that matter; none when no relation type is a link."""
        links = [code for code, flow in enumerate(rules.flows) if flow.link]
        if not links:
            nothing = np.empty(0, np.int32)
            return cls(nothing, nothing, nothing)
        kinds = [*links, *(rules.types.find(name) for name in (CONTAINS, MEMBER_OF, ROUTES_VIA))]
        wanted = [kind for kind in kinds if kind is not None]
        ends = (relations.from_ >= 0) & (relations.to >= 0) & (relations.from_ != relations.to)
        kept = np.flatnonzero(np.isin(relations.type, wanted) & ends)
        return cls(relations.from_[kept], relations.type[kept], relations.to[kept])

    @classmethod
    def made(cls, from_: Ints, type_: Ints, to: Ints, network: Network | None) -> Wiring:
        """With the network that these relations make, None where no link is among them."""
        return cls(from_, type_, to, network, network is not None)

    def network(self, projection: Projection) -> Network | None:
        """The network of ``projection``, whose wiring this is; None where no links are known."""
        if not self.linked(projection.rules):
            return None
        with self._lock:
            if self._made is None:
                self._made = _made(projection, self)
            return self._made

    def linked(self, rules: Rules) -> bool:
        """Whether any link is known."""
        if self._linked is None:
            links = [code for code, flow in enumerate(rules.flows) if flow.link]
            self._linked = bool(np.isin(self.type, links).any())
        return self._linked

    def pairs(self, projection: Projection, types: list[int]) -> tuple[Longs, Longs]:
        """(from, to) of these types, between CIs that are not retired."""
        alive = ~projection.retired
        rows = np.flatnonzero(np.isin(self.type, types) & alive[self.from_] & alive[self.to])
        return self.from_[rows].astype(np.int64), self.to[rows].astype(np.int64)


def _made(projection: Projection, wiring: Wiring) -> Network:
    size, rules = len(projection), projection.rules
    codes = {
        name: [code for code in (rules.types.find(name),) if code is not None]
        for name in (CONTAINS, MEMBER_OF, ROUTES_VIA)
    }
    names = rules.classes.values

    def of_class(wanted: frozenset[str]) -> Bools:
        return np.asarray([bool(wanted & {*rules.lineage(name)}) for name in names] or [False])[projection.class_of]

    holder = _holders(of_class(rules.parts), *wiring.pairs(projection, codes[CONTAINS]))
    near, far = wiring.pairs(projection, [code for code, flow in enumerate(rules.flows) if flow.link])
    network = of_class(rules.networks)
    gateways = _gateways(size, holder, (near, far, network), wiring.pairs(projection, codes[ROUTES_VIA]),
                         wiring.pairs(projection, codes[MEMBER_OF]))  # fmt: skip
    wires = np.flatnonzero(~(network[near] | network[far]) & (holder[near] != holder[far]))
    near, far = np.append(near[wires], far[wires]), np.append(far[wires], near[wires])
    links = Lists.of(size, holder[near], holder[far], near, far)
    forwards = of_class(rules.forwarding)
    forwards[gateways.to] = True
    tree, up, below = _forest(size, links, forwards, gateways.to)
    clients = Lists.of(
        size, gateways.to, np.repeat(np.arange(size), gateways.last - gateways.first), gateways.near, gateways.far
    )
    matters = np.zeros(size, bool)
    for column in (links.to, links.near, links.far, gateways.to, gateways.far):
        matters[column] = True
    gated, linked = np.zeros(size, bool), distinct(links.to)
    made = Network(links, forwards, tree, up, below, gateways, clients, gated, linked, matters, holder)
    asked = np.flatnonzero((gateways.last > gateways.first) & (links.last > links.first))
    gated[asked[reaching(made, asked, made.whole(), None) > 0]] = True
    return Network(links, forwards, tree, up, below, gateways, clients, gated, linked[~gated[linked]], matters, holder)


def reaching(network: Network, cis: Longs, label: Labels, down: Bools | None) -> Longs:
    """For each of ``cis`` by how many of its links it reaches a gateway of its own, where ``label`` tells the parts of
    the network and ``down`` who is down, None for nobody; 1 for a forwarding CI or one that is its own gateway."""
    size = len(label)
    owner, at = network.gateways.rows(cis)
    to, port = network.gateways.to[at], network.gateways.far[at]
    serves = np.ones(len(to), bool) if down is None else ~(down[to] | down[port])
    aims = distinct(owner[serves] * (size * 2) + label.of(to[serves]))
    itself = within(cis, owner[serves & (to == owner)])
    at_place = np.arange(len(cis))
    passing = network.forwards[cis]
    own = within(cis * (size * 2) + label.of(cis), aims) & passing
    whose = np.repeat(at_place, network.links.last[cis] - network.links.first[cis])
    owner, at = network.links.rows(cis)
    lives = alive(network, at, down) & network.forwards[network.links.to[at]]
    hits = lives & within(owner * (size * 2) + label.of(network.links.to[at]), aims) & ~passing[whose]
    counts: Longs = np.bincount(whose[hits], minlength=len(cis))
    return np.maximum(counts, (own | itself).astype(np.int64))


def alive(network: Network, at: Longs, down: Bools | None) -> Bools:
    """Of rows of ``links``, whether the link and the device at its other end are up; ``down`` is None for nobody."""
    if down is None:
        return np.ones(len(at), bool)
    links = network.links
    up: Bools = ~(
        down[links.near[at]] | down[links.far[at]] | down[links.to[at]] | down[network.holder[links.near[at]]]
    )
    return up


def joined_parts(size: int, a: Longs, b: Longs) -> Longs:
    """The connected components of these edges: by vertex, the lowest vertex of its component."""
    label = np.arange(size)
    while True:
        low = np.minimum(label[a], label[b])
        new = label.copy()
        np.minimum.at(new, label[a], low)
        np.minimum.at(new, label[b], low)
        while not np.array_equal(further := new[new], new):
            new = further
        if np.array_equal(new, label):
            return label
        label = new


def _holders(part: Bools, whole: Longs, inner: Longs) -> Longs:
    """By CI, the device that it belongs to; itself where it is no part of any."""
    holder = np.arange(len(part))
    rows = np.flatnonzero(part[inner])
    holder[inner[rows]] = whole[rows]
    for _ in range(DEEPEST):
        holder = np.where(part[holder], holder[holder], holder)
    return holder


def _gateways(
    size: int,
    holder: Longs,
    links: tuple[Longs, Longs, Bools],
    routes: tuple[Longs, Longs],
    members: tuple[Longs, Longs],
) -> Lists:
    """Each device's gateways: its own, and those of the networks that it is in. A group is reached by any member."""
    near, far, network = links
    groups = Lists.of(size, members[1], members[0], members[0], members[0])
    via, target = routes
    grouped = groups.last[target] > groups.first[target]
    owner, at = groups.rows(target[grouped])
    spread = np.repeat(via[grouped], groups.last[target[grouped]] - groups.first[target[grouped]])
    via, target = np.append(via[~grouped], spread), np.append(target[~grouped], groups.to[at])
    of_network = Lists.of(size, via, target, target, target)
    inside = [(a, b) for a, b in ((near, far), (far, near))]
    client = np.concatenate([a[network[b] & ~network[a]] for a, b in inside])
    where = np.concatenate([b[network[b] & ~network[a]] for a, b in inside])
    _, at = of_network.rows(where)
    through = np.repeat(client, of_network.last[where] - of_network.first[where])
    own = ~network[via]
    owner, port = np.append(holder[via[own]], holder[through]), np.append(target[own], of_network.to[at])
    pairs = np.unique(np.stack((owner, port)), axis=1)
    return Lists.of(size, pairs[0], holder[pairs[1]], pairs[1], pairs[1])


def _forest(size: int, links: Lists, forwards: Bools, gateways: Longs) -> tuple[Longs, Longs, Lists]:
    """(component, row towards the root, children) of a spanning forest of the forwarding devices; gateways are roots
    where there are any."""
    row = np.flatnonzero(forwards[links.to])
    owner = np.repeat(np.arange(size), links.last - links.first)
    row = row[forwards[owner[row]]]
    part = joined_parts(size, owner[row], links.to[row])
    root = np.arange(size)
    root[part[gateways]] = gateways
    up, seen = np.full(size, -1, np.int64), np.zeros(size, bool)
    frontier = np.flatnonzero(forwards & (root[part] == np.arange(size)))
    seen[frontier] = True
    for _, at, reached in _sweep(links, forwards, frontier, seen):
        up[reached] = at
    child = np.flatnonzero(up >= 0)
    below = Lists.of(size, owner[up[child]], child, child, child)
    return np.where(forwards, part, -1), up, below


def _sweep(links: Lists, forwards: Bools, frontier: Longs, seen: Bools) -> Iterator[tuple[Longs, Longs, Longs]]:
    """Round by round: (owner, row of the link by which, device reached)."""
    while len(frontier):
        owner, at = links.rows(frontier)
        new = np.flatnonzero(forwards[links.to[at]] & ~seen[links.to[at]])
        reached, which = np.unique(links.to[at[new]], return_index=True)
        seen[reached] = True
        yield owner[new[which]], at[new[which]], reached
        frontier = reached
