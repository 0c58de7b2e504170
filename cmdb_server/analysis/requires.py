"""What a CI stands on: all its providers, through every gate, and which of them cannot start from cold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmdb_server.projection.columns import Bools, Ints, Longs, spans
from cmdb_server.projection.ordered import distinct
from cmdb_server.projection.projection import Projection


@dataclass(frozen=True, slots=True, eq=False)
class Requirement:
    """``ci``, ``hops``: all that the CIs asked about stand on, themselves at 0 hops, nearest first. ``stuck``: those
    of them that need one another, so that none can be the first to start once all are off."""

    ci: Longs
    hops: Ints
    stuck: Longs


def requires(projection: Projection, cis: Longs) -> Requirement:
    """Everything below ``cis``."""
    found, hops = below(projection, cis)
    return Requirement(found, hops, _stuck(projection, found))


def below(projection: Projection, cis: Longs) -> tuple[Longs, Ints]:
    """(``cis`` and all their providers, hops of each), nearest first."""
    seen = np.zeros(len(projection), bool)
    frontier = distinct(cis.astype(np.int64))
    seen[frontier] = True
    parts = []
    while len(frontier):
        parts.append(frontier)
        _, provider = projection.providers_of(frontier)
        frontier = distinct(provider[~seen[provider]].astype(np.int64))
        seen[frontier] = True
    hops = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
    return np.concatenate(parts) if parts else frontier, hops


def above(projection: Projection, cis: Longs) -> tuple[Longs, Ints]:
    """(``cis`` and all that stand on them, hops of each), nearest first, whatever the gates say."""
    direct, counted = projection.direct_of, projection.counted_of
    seen = np.zeros(len(projection), bool)
    frontier = distinct(cis.astype(np.int64))
    parts = []
    while len(frontier):
        seen[frontier] = True
        parts.append(frontier)
        slot = projection.counted.slot[spans(counted.first, counted.last, frontier)]
        consumer = projection.direct.consumer[spans(direct.first, direct.last, frontier)]
        either = np.concatenate((consumer, projection.slots.consumer[slot]))
        frontier = distinct(either[~seen[either]].astype(np.int64))
    hops = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
    return np.concatenate(parts) if parts else frontier, hops


def _stuck(projection: Projection, cis: Longs) -> Longs:
    """Start whatever has enough started providers, until nothing more starts. ``cis`` holds all their providers."""
    gates, lists = projection.gates, projection.gates_of
    gate = projection.listed.gate[spans(lists.first, lists.last, cis)]
    at = spans(gates.first, gates.last, gate)
    size = gates.last[gate] - gates.first[gate]
    place, provider = np.repeat(np.arange(len(gate)), size), projection.members.provider[at]
    weight = np.where(projection.weighs()[gates.rule[gate]][place], projection.members.weight[at], 1)
    slot = gates.slot[gate]
    need = np.bincount(place, weight, len(gate))
    counting = np.flatnonzero(slot >= 0)
    need[counting] -= projection.slots.slack[slot[counting]]
    started: Bools = np.zeros(len(projection), bool)
    while True:
        waits = np.zeros(len(projection), bool)
        waits[gates.consumer[gate[np.bincount(place, weight * started[provider], len(gate)) < need]]] = True
        new = cis[~waits[cis] & ~started[cis]]
        if not len(new):
            return cis[~started[cis]]
        started[new] = True
