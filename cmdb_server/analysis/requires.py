"""What a CI stands on: all its providers, through every gate, and which of them cannot start from cold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.paths import providers_of
from cmdb_server.model.gates import threshold
from cmdb_server.projection.columns import Bools, Ints, Longs
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
    seen = np.zeros(len(projection), bool)
    frontier = np.unique(cis).astype(np.int64)
    seen[frontier] = True
    parts = []
    while len(frontier):
        parts.append(frontier)
        _, provider = providers_of(projection, frontier)
        frontier = np.unique(provider[~seen[provider]]).astype(np.int64)
        seen[frontier] = True
    found = np.concatenate(parts) if parts else frontier
    hops = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
    return Requirement(found, hops, _stuck(projection, found))


def _stuck(projection: Projection, cis: Longs) -> Longs:
    """Start whatever has enough started providers, until nothing more starts. ``cis`` holds all their providers."""
    gate, provider = providers_of(projection, cis)
    gates, place = np.unique(gate, return_inverse=True)
    weight = np.concatenate([projection.weights_of(one) for one in gates.tolist()] or [np.empty(0, np.int32)])
    order = np.argsort(place, kind="stable")
    provider, place = provider[order], place[order]
    total = np.bincount(place, weight, len(gates)).astype(np.int64)
    need = np.asarray(
        [
            threshold(projection.definition(one), size).need
            for one, size in zip(gates.tolist(), total.tolist(), strict=True)
        ],
        np.int64,
    )
    consumer = projection.gates.consumer[gates]
    started: Bools = np.zeros(len(projection), bool)
    while True:
        serving = np.bincount(place, weight * started[provider], len(gates))
        waits = np.zeros(len(projection), bool)
        waits[consumer[serving < need]] = True
        new = cis[~waits[cis] & ~started[cis]]
        if not len(new):
            break
        started[new] = True
    return cis[~started[cis]]
