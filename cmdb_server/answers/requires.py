"""What a CI stands on, nearest first, and what of that cannot start from cold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.explanation import Explanation
from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.requires import requires as computed
from cmdb_server.answers.asked_graph import asked_graph
from cmdb_server.answers.told import Leaning, Named, Teller
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.what_if import Edit, supposing
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

LIMIT = 100


@dataclass(frozen=True, slots=True)
class Required:
    """``hops``: how many gates lie between. ``cannot_start_cold``: it needs others that need it."""

    ci: Named
    hops: int
    cannot_start_cold: bool


@dataclass(frozen=True, slots=True)
class RequiresAnswer:
    """``items``: nearest first, the CI itself left out. ``more``: how many are not listed. ``stuck``: how many of all,
    the CI itself included, need one another so that none can be the first to start. ``leanings``: which of those
    listed, the CI itself included, stands on which."""

    revision: int
    ci: Named
    items: tuple[Required, ...]
    more: int
    stuck: int
    leanings: tuple[Leaning, ...] = ()


def requires(
    projections: Projections,
    viewer: Viewer,
    ci: str,
    at: int | None = None,
    known_at: int | None = None,
    limit: int = LIMIT,
    edits: Sequence[Edit] = (),
) -> RequiresAnswer:
    """What ``ci`` stands on at ``at`` as known at ``known_at`` (ms; None: now), as it would be with ``edits``. Raises
    ``NotFound``, and ``Invalid`` for edits that cannot be."""

    def work(reading: Reading) -> RequiresAnswer:
        view = supposing(asked_graph(projections, viewer, reading, at, known_at), viewer, edits)
        (number,) = view.cis("ci", [ci])
        found = computed(view.projection, np.asarray([number]))
        tell, stuck = Teller.of(view), set(found.stuck.tolist())
        rows = zip(found.ci[1 : limit + 1].tolist(), found.hops[1 : limit + 1].tolist(), strict=True)
        items = tuple(Required(tell.named(one), hops, one in stuck) for one, hops in rows)
        more = len(found.ci) - 1 - len(items)
        leanings = tell.leanings(found.ci[: limit + 1].tolist(), Explanation(impact(view.projection, [])))
        return RequiresAnswer(view.projection.revision, tell.named(number), items, more, len(stuck), leanings)

    return projections.store.read(work)
