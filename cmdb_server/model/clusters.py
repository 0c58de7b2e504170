"""Clustering one score level at a time, strongest first.

Never are two records put together that must be apart, not even through a third. A cluster drawn at one level to two
clusters that must be apart belongs to neither: which of them would otherwise be decided by the order of the records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Pair = tuple[int, int]


@dataclass(slots=True)
class Clustering:
    """Clusters of 0..n-1 under way. ``home``: member -> its cluster's number; ``ties``: (torn cluster, the clusters
    that pull at it) as sets of members, as they were at that level."""

    home: list[int]
    members: dict[int, set[int]]
    apart: dict[int, set[int]]
    blocked: set[Pair] = field(default_factory=set)
    ties: list[tuple[frozenset[int], tuple[frozenset[int], ...]]] = field(default_factory=list)

    def divided(self, a: int, b: int) -> bool:
        """Whether any member of one must be apart from any of the other."""
        return not self.apart[a].isdisjoint(self.members[b])

    def unite(self, clusters: Iterable[int]) -> None:
        """Make one cluster of several, under the smallest number."""
        first, *rest = sorted(clusters)
        for other in rest:
            moved = self.members.pop(other)
            for member in moved:
                self.home[member] = first
            self.members[first] |= moved
            self.apart[first] |= self.apart.pop(other)


def cluster(n: int, scores: Mapping[Pair, float], join: float, apart: Iterable[Pair]) -> Clustering:
    """Cluster ``n`` things by their pairs' scores (i < j), of which those at or above ``join`` join."""
    state = Clustering(list(range(n)), {i: {i} for i in range(n)}, {i: set() for i in range(n)})
    separate = list(apart)
    if not separate:  # then no order of joining can matter
        for (i, j), value in scores.items():
            if value >= join and state.home[i] != state.home[j]:
                state.unite((state.home[i], state.home[j]))
        return state
    for i, j in separate:
        state.apart[i].add(j)
        state.apart[j].add(i)
    levels: dict[float, list[Pair]] = {}
    for pair, value in scores.items():
        if value >= join:
            levels.setdefault(value, []).append(pair)
    for value in sorted(levels, reverse=True):
        _level(state, levels[value])
    return state


def _level(state: Clustering, pairs: list[Pair]) -> None:
    near: dict[int, set[int]] = {}
    for i, j in pairs:
        a, b = state.home[i], state.home[j]
        if a != b and not state.divided(a, b):
            near.setdefault(a, set()).add(b)
            near.setdefault(b, set()).add(a)
    torn = {c for c, others in near.items() if _torn(state, others)}
    for c in torn:
        state.ties.append((frozenset(state.members[c]), tuple(frozenset(state.members[o]) for o in sorted(near[c]))))
    for group in _connected({c: others - torn for c, others in near.items() if c not in torn}):
        if not any(state.divided(a, b) for a in group for b in group if a < b):
            state.unite(group)
        elif len(group) > 1:
            state.ties.append((frozenset(), tuple(frozenset(state.members[c]) for c in sorted(group))))


def _torn(state: Clustering, others: set[int]) -> bool:
    return len(others) > 1 and any(state.divided(a, b) for a in others for b in others if a < b)


def _connected(near: Mapping[int, set[int]]) -> list[list[int]]:
    seen: set[int] = set()
    found = []
    for start in near:
        if start in seen:
            continue
        seen.add(start)
        group, queue = [start], [start]
        while queue:
            for other in near[queue.pop()]:
                if other not in seen:
                    seen.add(other)
                    group.append(other)
                    queue.append(other)
        found.append(group)
    return found
