"""The network of a region while many failures are simulated at once: a bit for each failure, a lane.

In a lane in which every forwarding device that is up reaches the root of its tree, the parts of the network are its
trees, so that who enters a tree by a live link reaches all that does. The other lanes are looked at one by one, those
with the same devices, ports and links down once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cmdb_server.analysis.partition import Dependencies, Places, Sight, in_touch, partitioned
from cmdb_server.analysis.reachability import reach
from cmdb_server.analysis.requires import below
from cmdb_server.projection.columns import Bools, Longs
from cmdb_server.projection.network import Network
from cmdb_server.projection.ordered import distinct, united
from cmdb_server.projection.projection import Projection

Bits = npt.NDArray[np.uint64]
CHUNK = 1024
"""Lanes looked at one by one are taken out of the bits so many at a time."""


def with_network(projection: Projection, network: Network, members: Longs) -> Longs:
    """``members`` and all of the network that can cut any of them off or apart, and what that stands on; ascending."""
    while True:
        linked = members[network.links.last[members] > network.links.first[members]]
        if not len(linked):
            return members
        _, at = network.links.rows(linked)
        trees = network.tree[np.append(linked, network.links.to[at])]
        forwarding = np.flatnonzero(network.forwards & np.isin(network.tree, trees[trees >= 0]))
        owner, at = network.links.rows(united(linked, forwarding))
        at = at[network.forwards[network.links.to[at]] | np.isin(owner, linked)]
        _, doors = network.gateways.rows(linked)
        ends = (network.links.near[at], network.links.far[at], network.gateways.to[doors], network.gateways.far[doors])
        more = united(members, forwarding, *ends)
        found = np.sort(below(projection, more)[0])
        if len(found) == len(members):
            return members
        members = found


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Rows of ``columns``, those of one group side by side from ``first`` on; ``key``: by group."""

    key: list[tuple[int, ...]]
    first: Longs
    columns: Longs

    @classmethod
    def of(cls, rows: dict[tuple[int, ...], list[tuple[int, ...]]], width: int) -> Groups:
        """By key, in order."""
        kept = {key: rows[key] for key in sorted(rows) if rows[key]}
        sizes = np.asarray([len(part) for part in kept.values()], np.int64)
        columns = np.asarray([row for part in kept.values() for row in part], np.int64).reshape(-1, width)
        return cls(list(kept), np.cumsum(sizes) - sizes, columns.T)

    def any(self, terms: Bits) -> Bits:
        """By group, the lanes of any of its rows."""
        return np.bitwise_or.reduceat(terms, self.first, axis=0) if len(self.first) else terms[:0]


@dataclass(frozen=True, slots=True, eq=False)
class Wires:
    """Places of a region that ``matter``: devices, ports and gateways. ``crossing``: dependencies over the network, by
    ``way``, the place that stands for the provider as its consumer reaches it.

    ``entries``: how a device enters a tree; ``goals``: the gateways of a device in a tree; ``reached``: pairs of both by
    device; ``joined``: pairs of entries, and ``beside``: direct links, by way."""

    projection: Projection
    network: Network
    ci: Longs
    matter: Longs
    forwarding: Longs
    roots: Longs
    links: Groups
    entries: Groups
    goals: Groups
    reached: Groups
    joined: Groups
    beside: Groups
    gated: Longs
    ways: Longs
    way_of: dict[tuple[int, int], int]
    known: dict[bytes, Longs] = field(default_factory=dict)

    def raise_(self, bits: Bits) -> bool:
        """Set who is cut off, or cut off from a provider, in each lane. Whether anything changed."""
        if not (len(self.gated) or len(self.ways)):
            return False
        whole = self._whole(bits)
        entries, goals = self.entries.any(_alive(bits, self.entries)), self.goals.any(_alive(bits, self.goals))
        changed = False
        for places, parts in (
            (self.gated, [(self.reached, entries[self.reached.columns[0]] & goals[self.reached.columns[1]])]),
            (self.ways, [
                (self.joined, entries[self.joined.columns[0]] & entries[self.joined.columns[1]]),
                (self.beside, _alive(bits, self.beside)),
            ]),
        ):  # fmt: skip
            left = np.zeros((len(places), bits.shape[1]), np.uint64)
            for groups, terms in parts:
                left[np.asarray([key[0] for key in groups.key], np.int64)] |= groups.any(terms)
            lost = bits[places] | (~left & whole)
            changed |= bool((lost != bits[places]).any())
            bits[places] = lost
        return self._one_by_one(bits, ~whole) or changed

    def _whole(self, bits: Bits) -> Bits:
        """The lanes in which every forwarding device that is up reaches its root."""
        reached = np.zeros_like(bits)
        reached[self.roots] = ~bits[self.roots]
        live = _alive(bits, self.links)
        to = np.asarray([key[0] for key in self.links.key], np.int64)
        while len(to):
            now = reached[to] | self.links.any(reached[self.links.columns[3]] & live)
            if (now == reached[to]).all():
                break
            reached[to] = now
        whole: Bits = np.bitwise_and.reduce(reached[self.forwarding] | bits[self.forwarding], axis=0)
        return whole

    def _one_by_one(self, bits: Bits, lanes: Bits) -> bool:
        chosen = np.flatnonzero(np.unpackbits(lanes.astype("<u8").view(np.uint8), bitorder="little"))
        changed = False
        for start in range(0, len(chosen), CHUNK):
            part = chosen[start : start + CHUNK]
            shift = (part % 64).astype(np.uint64)
            down = (bits[self.matter][:, part // 64] >> shift & np.uint64(1)).astype(bool)
            for lane, column in zip(part.tolist(), down.T, strict=True):
                found, word, bit = self._lost(column), lane // 64, np.uint64(1) << np.uint64(lane % 64)
                changed |= bool((bits[found, word] & bit == 0).any())
                bits[found, word] |= bit
        return changed

    def _lost(self, down: Bools) -> Longs:
        """The places lost to the network while these of ``matter`` are down."""
        key = np.packbits(down).tobytes()
        if key not in self.known:
            gone, fallen = np.zeros(len(self.projection), bool), self.ci[self.matter[down]]
            gone[fallen] = True
            found = reach(self.network, gone, distinct(fallen))
            cut = partitioned(self.projection, Sight(self.network, found.label, gone), found.touched, ~gone)
            pairs = zip(cut.gate.tolist(), cut.provider.tolist(), strict=True)
            ways = [self.way_of[pair] for pair in pairs if pair in self.way_of]
            lost = np.searchsorted(self.ci, found.lost).clip(max=len(self.ci) - 1)
            self.known[key] = np.append(lost[self.ci[lost] == found.lost], np.asarray(ways, np.int64))
        return self.known[key]


def _alive(bits: Bits, groups: Groups) -> Bits:
    """By row, the lanes in which none of its places is down."""
    down = np.zeros((groups.columns.shape[1], bits.shape[1]), np.uint64)
    for column in groups.columns:
        down |= bits[column]
    return ~down


def crossing(projection: Projection, network: Network, members: Longs) -> Dependencies:
    """The dependencies over the network among ``members``, whose ends are in touch while all is well."""
    gate, provider = projection.providers_of(members)
    crosses = np.asarray([flow.crosses for flow in projection.rules.flows], bool)
    kept = crosses[projection.gates.type[gate]]
    gate, provider = gate[kept].astype(np.int64), provider[kept].astype(np.int64)
    consumer = projection.gates.consumer[gate].astype(np.int64)
    found = Dependencies(consumer, provider, gate, projection.gates.slot[gate].astype(np.int64), np.full(len(gate), -1))
    if not len(found):
        return found
    places = Places.of(projection, network, united(consumer, provider))
    return found.rows(in_touch(found, places, Sight.well(network)))


def wires(projection: Projection, network: Network, members: Longs, ways: Dependencies) -> Wires:
    """Of the region of ``members``; its places from ``len(members)`` on are those of ``ways``."""
    place = np.full(len(projection), -1, np.int64)
    place[members] = np.arange(len(members))
    linked = members[network.links.last[members] > network.links.first[members]]
    entries = _entries(network, linked, place)
    goals = _goals(network, linked, place)
    number = {key: row for row, key in enumerate(entries.key)}
    goal = {key: row for row, key in enumerate(goals.key)}
    gated = linked[network.gated[linked]]
    reached = defaultdict[tuple[int, ...], list[tuple[int, ...]]](list)
    where = {ci: row for row, ci in enumerate(gated.tolist())}
    for key in number.keys() & goal.keys():
        if key[0] in where:
            reached[where[key[0]],].append((number[key], goal[key]))
    joined, beside = _between(projection, network, ways, place, number)
    forwarding = linked[network.forwards[linked]]
    matter = np.flatnonzero(network.matters[members])
    first = len(members)
    pairs = zip(ways.gate.tolist(), ways.provider.tolist(), strict=True)
    return Wires(
        projection, network, members, matter, place[forwarding], place[forwarding[network.up[forwarding] < 0]],
        _trunks(network, forwarding, place), entries, goals, Groups.of(reached, 2), joined, beside, place[gated],
        np.arange(first, first + len(ways)), {pair: first + row for row, pair in enumerate(pairs)},
    )  # fmt: skip


def _link_rows(network: Network, cis: Longs, place: Longs) -> Iterable[tuple[int, int, tuple[int, int, int, int]]]:
    """(CI, CI at the other end, places of the ports and of both) of each link within the region."""
    owner, at = network.links.rows(cis)
    to, near, far = network.links.to[at], network.links.near[at], network.links.far[at]
    kept = np.flatnonzero((place[to] >= 0) & (place[near] >= 0) & (place[far] >= 0))
    ends = np.stack((place[near], place[far], place[owner], place[to]), axis=1)[kept].tolist()
    for one, other, row in zip(owner[kept].tolist(), to[kept].tolist(), ends, strict=True):
        yield one, other, tuple(row)


def _trunks(network: Network, forwarding: Longs, place: Longs) -> Groups:
    """By device that is reached: the links between forwarding devices, where they come from last."""
    rows = defaultdict[tuple[int, ...], list[tuple[int, ...]]](list)
    for _, other, (near, far, owner, to) in _link_rows(network, forwarding, place):
        if network.forwards[other]:
            rows[to,].append((near, far, to, owner))
    return Groups.of(rows, 4)


def _entries(network: Network, linked: Longs, place: Longs) -> Groups:
    """By device and tree."""
    rows = defaultdict[tuple[int, ...], list[tuple[int, ...]]](list)
    for ci in linked[network.forwards[linked]].tolist():
        rows[ci, int(network.tree[ci])].append((int(place[ci]),) * 4)
    for one, other, ends in _link_rows(network, linked[~network.forwards[linked]], place):
        if network.forwards[other]:
            rows[one, int(network.tree[other])].append(ends)
    return Groups.of(rows, 4)


def _goals(network: Network, linked: Longs, place: Longs) -> Groups:
    """By device and tree."""
    rows = defaultdict[tuple[int, ...], list[tuple[int, ...]]](list)
    owner, at = network.gateways.rows(linked)
    to, far = network.gateways.to[at], network.gateways.far[at]
    for ci, gateway, port in zip(owner.tolist(), to.tolist(), far.tolist(), strict=True):
        rows[ci, int(network.tree[gateway])].append((int(place[gateway]), int(place[port])))
    return Groups.of(rows, 2)


def _between(
    projection: Projection, network: Network, ways: Dependencies, place: Longs, number: dict[tuple[int, ...], int]
) -> tuple[Groups, Groups]:
    """(pairs of entries of one tree, places of direct links and of common places), by way."""
    trees, standing = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    for ci, tree in number:
        trees[ci].append(tree)
    found = Places.of(projection, network, united(ways.consumer, ways.provider))
    for ci, device in zip(found.ci.tolist(), found.device.tolist(), strict=True):
        standing[ci].append(device)
    links = defaultdict[tuple[int, int], list[tuple[int, ...]]](list)
    for one, other, ends in _link_rows(network, distinct(found.device), place):
        links[one, other].append(ends)
    joined = defaultdict[tuple[int, ...], list[tuple[int, ...]]](list)
    beside = defaultdict[tuple[int, ...], list[tuple[int, ...]]](list)
    for way, (consumer, provider) in enumerate(zip(ways.consumer.tolist(), ways.provider.tolist(), strict=True)):
        for one in standing[consumer]:
            for other in standing[provider]:
                if one == other:
                    beside[way,].append((int(place[one]),) * 4)
                beside[way,] += links.get((one, other), [])
                common = [tree for tree in trees[one] if (other, tree) in number]
                joined[way,] += [(number[one, tree], number[other, tree]) for tree in common]
    return Groups.of(joined, 2), Groups.of(beside, 4)
