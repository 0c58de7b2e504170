"""The single points of failure of a CI, a service as a rule, and pairs that are fatal together though harmless alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.requires import below
from cmdb_server.analysis.spof import FatalPairs, fatal_pairs, single_points
from cmdb_server.answers.asked_graph import asked_graph
from cmdb_server.answers.told import Named, Teller
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.what_if import Edit, supposing
from cmdb_server.errors import Invalid
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

LIMIT = 100
MOST_FOR_PAIRS = 20_000
"""CIs below a service whose pairs are tried: memory grows with their square."""


@dataclass(frozen=True, slots=True)
class FatalPair:
    """Any of ``one`` with any of ``other`` is fatal; ``one_more`` and ``other_more``: how many are not listed."""

    one: tuple[Named, ...]
    other: tuple[Named, ...]
    one_more: int
    other_more: int


@dataclass(frozen=True, slots=True)
class SinglePointsAnswer:
    """``below``: how many CIs it stands on. ``pairs`` None where they were not asked for; ``pairs_complete``: all were
    tried."""

    revision: int
    ci: Named
    below: int
    items: tuple[Named, ...]
    more: int
    pairs: tuple[FatalPair, ...] | None
    pairs_more: int
    pairs_complete: bool


def single_points_of(
    projections: Projections,
    viewer: Viewer,
    ci: str,
    at: int | None = None,
    known_at: int | None = None,
    limit: int = LIMIT,
    *,
    pairs: bool = False,
    edits: Sequence[Edit] = (),
) -> SinglePointsAnswer:
    """Whose failure alone takes ``ci`` down, through gates and ways in the network; with ``edits`` as it would
    be. Raises ``NotFound``, and ``Invalid`` for pairs below too many and for edits that cannot be."""

    def work(reading: Reading) -> SinglePointsAnswer:
        view = supposing(asked_graph(projections, viewer, reading, at, known_at), viewer, edits)
        (number,) = view.cis("ci", [ci])
        graph, tell = view.projection, Teller.of(view)
        size = len(below(graph, np.asarray([number]))[0]) - 1
        found = single_points(graph, number).tolist()
        fatal = _pairs(graph, number, size) if pairs else None
        told = None if fatal is None else tuple(_told(tell, fatal, pair, limit) for pair in fatal.pairs[:limit])
        return SinglePointsAnswer(
            graph.revision, tell.named(number), size,
            tuple(tell.named(one) for one in found[:limit]), max(0, len(found) - limit),
            told, 0 if fatal is None else max(0, len(fatal.pairs) - limit), fatal is None or fatal.complete,
        )  # fmt: skip

    return projections.store.read(work)


def _pairs(graph: Projection, number: int, size: int) -> FatalPairs:
    if size > MOST_FOR_PAIRS:
        text = f"{size} CIs lie below, more than the {MOST_FOR_PAIRS} whose pairs are tried"
        raise Invalid(f"pairs: {text}", errors=[{"path": "pairs", "message": text}])
    return fatal_pairs(graph, number)


def _told(tell: Teller, fatal: FatalPairs, pair: tuple[int, int], limit: int) -> FatalPair:
    one, other = (fatal.classes[number].tolist() for number in pair)
    return FatalPair(
        tuple(tell.named(ci) for ci in one[:limit]), tuple(tell.named(ci) for ci in other[:limit]),
        max(0, len(one) - limit), max(0, len(other) - limit),
    )  # fmt: skip
