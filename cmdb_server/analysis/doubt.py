"""How far an answer can be trusted while some CIs have not been seen for long: it lies between two runs.

Lower run: the doubtful never fail. Who is down there is surely down. Upper run: the doubtful are lost already to every
gate that counts. Who is not down there is surely not. The rest is uncertain because of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.certificate import REACH
from cmdb_server.analysis.impact import Impact, down_with, impact
from cmdb_server.projection.columns import Longs, spans
from cmdb_server.projection.ordered import distinct, shared, united, without
from cmdb_server.projection.projection import Projection


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """Ascending CIs. ``sure``: down whatever the doubtful are. ``uncertain``: down or not, depending on them, and on a
    way from what failed. ``scan_next``: the doubtful it depends on at the gates of the uncertain. ``lower``, ``upper``:
    the two runs, whose certificates prove the rest."""

    sure: Longs
    uncertain: Longs
    scan_next: Longs
    lower: Impact
    upper: Impact


def doubtful(projection: Projection) -> Longs:
    """The CIs that no source claims any more and that have not retired yet."""
    return np.flatnonzero((projection.ended_at >= 0) & ~projection.retired)


def doubt(projection: Projection, failed: Iterable[int], uncertain: Longs, not_impacted: Iterable[int] = ()) -> Doubt:
    """The answer to ``failed`` while the CIs ``uncertain`` may be there or not."""
    sources = distinct(np.asarray(list(failed), np.int64))
    spared = distinct(np.asarray(list(not_impacted), np.int64))
    unseen = without(uncertain, np.append(sources, spared))
    lower = impact(projection, sources, united(spared, unseen))
    most = down_with(projection, sources, unseen, spared)
    sure, upper, gate = np.sort(lower.down), most.ci, most.gates().astype(np.int64)
    # Whom a failure cuts off it reaches as well, though by no gate.
    seeds = np.concatenate((sources, upper[gate == REACH], most.cut.dependencies.consumer))
    open_ = ~np.isin(upper, sure) & _reached(projection, distinct(seeds))[upper]
    named = gate[open_]
    named = named[named >= 0]
    members = projection.members.provider[spans(projection.gates.first, projection.gates.last, named)]
    scan_next = shared(members.astype(np.int64), unseen)
    return Doubt(sure, np.sort(upper[open_]), scan_next, lower, most)


def _reached(projection: Projection, sources: Longs) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """By CI, whether any way leads there from ``sources``, whatever the gates say."""
    seen = np.zeros(len(projection), bool)
    frontier = sources
    seen[frontier] = True
    direct, counted = projection.direct_of, projection.counted_of
    while len(frontier):
        slot = projection.counted.slot[spans(counted.first, counted.last, frontier)]
        consumers = projection.direct.consumer[spans(direct.first, direct.last, frontier)]
        either = np.concatenate((consumers, projection.slots.consumer[slot]))
        frontier = distinct(either[~seen[either]].astype(np.int64))
        seen[frontier] = True
    return seen
