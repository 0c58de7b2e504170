"""All that some CIs stand on, numbered afresh and ordered from the ground up, for simulating many failures at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.lanes import Wires, crossing, wires, with_network
from cmdb_server.analysis.partition import Dependencies
from cmdb_server.analysis.requires import below
from cmdb_server.projection.columns import Longs, spans
from cmdb_server.projection.ordered import distinct, united
from cmdb_server.projection.projection import Projection


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Gates that can be computed together. ``looped``: their consumers need one another, so only by repetition.

    ``consumer``: by gate, ascending. ``first``: by gate, its first row in ``provider`` and ``weight``, the places in
    the region of its members and what they count; ``slack``: by gate, what may be lost.
    """

    looped: bool
    consumer: Longs
    first: Longs
    provider: Longs
    weight: Longs
    slack: Longs


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """``ci``: the CIs by their place in the region. ``size``: places, with those that stand for a provider as one of its
    consumers reaches it. ``counted``: places that count in some gate that can bear a loss, or whose failure can cut
    something off. ``wires``: None without a network."""

    ci: Longs
    size: int
    levels: tuple[Level, ...]
    counted: Longs
    wires: Wires | None


def region(projection: Projection, cis: Longs) -> Region:
    """``cis`` and everything below them, or on their ways through the network."""
    members, network = np.sort(below(projection, cis)[0]), projection.network()
    if network is not None:
        members = with_network(projection, network, members)
    place = np.full(len(projection), -1, np.int64)
    place[members] = np.arange(len(members))
    gates, lists = projection.gates, projection.gates_of
    gate = projection.listed.gate[spans(lists.first, lists.last, members)]
    slot = gates.slot[gate]
    counts, direct = np.flatnonzero(slot >= 0), slot < 0
    slack, useful = np.zeros(len(gate), np.int64), direct.copy()
    slack[counts] = projection.slots.slack[slot[counts]]
    useful[counts] = slack[counts] < projection.slots.total[slot[counts]]
    gate, slack = gate[useful], slack[useful]
    at = spans(gates.first, gates.last, gate)
    sizes = (gates.last[gate] - gates.first[gate]).astype(np.int64)
    weighs = np.repeat(projection.weighs()[gates.rule[gate]], sizes)
    weight = np.where(weighs, projection.members.weight[at], 1).astype(np.int64)
    every = Level(
        False,
        place[gates.consumer[gate]],
        np.cumsum(sizes) - sizes,
        place[projection.members.provider[at]],
        weight,
        slack,
    )
    if network is None:
        size, wired = len(members), None
    else:
        ways = crossing(projection, network, members)
        size, wired = len(members) + len(ways), wires(projection, network, members, ways)
        every, sizes = _by_ways(every, sizes, gate.astype(np.int64), ways, place)
    counted = distinct(every.provider[np.repeat(every.slack > 0, sizes)])
    if wired is not None:
        counted = united(counted, wired.matter)
    return Region(members, size, _levels(size, every, sizes), counted, wired)


def _by_ways(every: Level, sizes: Longs, gate: Longs, ways: Dependencies, place: Longs) -> tuple[Level, Longs]:
    """``every`` with each of ``ways`` as a CI of its own between provider and consumer, which needs the provider."""
    size, first = len(place), int(np.count_nonzero(place >= 0))
    words = np.repeat(gate, sizes) * size + every.provider
    asked = ways.gate * size + place[ways.provider]
    order = np.argsort(words)
    at = np.searchsorted(words, asked, sorter=order).clip(max=max(len(words) - 1, 0))
    # Gates that never go down were left out, and with them their members.
    used = np.flatnonzero(words[order[at]] == asked) if len(words) else at[:0]
    provider = every.provider.copy()
    provider[order[at[used]]] = first + used
    extra = np.arange(len(ways))
    return Level(
        False,
        np.append(every.consumer, first + extra),
        np.append(every.first, len(provider) + extra),
        np.append(provider, place[ways.provider]),
        np.append(every.weight, np.ones(len(ways), np.int64)),
        np.append(every.slack, np.zeros(len(ways), np.int64)),
    ), np.append(sizes, np.ones(len(ways), np.int64))


def _levels(size: int, every: Level, sizes: Longs) -> tuple[Level, ...]:
    """The gates by the level of their consumers: above those of all providers outside of the consumer's loop."""
    level, looped = np.zeros(size, np.int64), np.zeros(size, bool)
    providers: list[list[int]] = [[] for _ in range(size)]
    member = every.provider.tolist()
    for consumer, first, count in zip(every.consumer.tolist(), every.first.tolist(), sizes.tolist(), strict=True):
        providers[consumer] += member[first : first + count]
    heights = [0] * size
    for loop in components(providers):
        inside = set(loop) if len(loop) > 1 else loop
        height = max((heights[one] for ci in loop for one in providers[ci] if one not in inside), default=-1) + 1
        for ci in loop:
            heights[ci] = height
        looped[loop] = len(loop) > 1
    level = 2 * np.asarray(heights, np.int64) + looped
    order = np.argsort(level[every.consumer], kind="stable")
    found = level[every.consumer][order]
    parts = np.split(order, np.flatnonzero(np.diff(found)) + 1) if len(order) else []
    return tuple(_level(bool(looped[every.consumer[rows[0]]]), rows, every, sizes) for rows in parts)


def _level(looped: bool, rows: Longs, every: Level, sizes: Longs) -> Level:
    size = sizes[rows]
    at = np.repeat(every.first[rows] - np.cumsum(size) + size, size) + np.arange(int(size.sum()))
    return Level(
        looped, every.consumer[rows], np.cumsum(size) - size, every.provider[at], every.weight[at], every.slack[rows]
    )


def components(providers: list[list[int]]) -> list[list[int]]:
    """The strongly connected components, those of providers first (Tarjan, without recursion)."""
    index, low, on_stack = [-1] * len(providers), [0] * len(providers), [False] * len(providers)
    stack: list[int] = []
    found: list[list[int]] = []
    count = 0
    for root in range(len(providers)):
        if index[root] >= 0:
            continue
        work = [(root, iter(providers[root]))]
        index[root] = low[root] = count
        count += 1
        stack.append(root)
        on_stack[root] = True
        while work:
            node, rest = work[-1]
            for one in rest:
                if index[one] < 0:
                    index[one] = low[one] = count
                    count += 1
                    stack.append(one)
                    on_stack[one] = True
                    work.append((one, iter(providers[one])))
                    break
                if on_stack[one]:
                    low[node] = min(low[node], index[one])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == index[node]:
                    found.append(_popped(stack, on_stack, node))
    return found


def _popped(stack: list[int], on_stack: list[bool], root: int) -> list[int]:
    loop = []
    while True:
        node = stack.pop()
        on_stack[node] = False
        loop.append(node)
        if node == root:
            return loop
