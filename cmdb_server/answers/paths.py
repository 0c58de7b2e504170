"""How the failure of one CI can reach another."""

from __future__ import annotations

from dataclasses import dataclass

from cmdb_server.analysis.explanation import Explanation
from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.paths import path as computed
from cmdb_server.answers.asked_graph import asked_graph
from cmdb_server.answers.told import Named, StepTold, Teller
from cmdb_server.answers.viewer import Viewer
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading


@dataclass(frozen=True, slots=True)
class PathAnswer:
    """``steps``: from the provider to the consumer, each with the gate that counts the step before it, as it is while
    all is well; none where there is no way."""

    revision: int
    from_: Named
    to: Named
    steps: tuple[StepTold, ...]


def path(
    projections: Projections,
    viewer: Viewer,
    from_: str,
    to: str,
    at: int | None = None,
    known_at: int | None = None,
) -> PathAnswer:
    """The shortest way from ``from_`` to ``to`` over gates. A redundant gate on it may hold: a way is not yet an
    impact. Raises ``NotFound``."""

    def work(reading: Reading) -> PathAnswer:
        view = asked_graph(projections, viewer, reading, at, known_at)
        (source,), (target,) = view.cis("from", [from_]), view.cis("to", [to])
        tell = Teller.of(view)
        well = Explanation(impact(view.projection, []))
        steps = tell.steps(computed(view.projection, source, target), well)
        return PathAnswer(view.projection.revision, tell.named(source), tell.named(target), steps)

    return projections.store.read(work)
