"""The services that stand on a CI, whether its failure would reach them or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmdb_server.analysis.explanation import Explanation
from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.paths import way_up
from cmdb_server.analysis.requires import above
from cmdb_server.answers.asked_graph import asked_graph
from cmdb_server.answers.impact import service_classes
from cmdb_server.answers.told import Named, StepTold, Teller
from cmdb_server.answers.viewer import Viewer
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

LIMIT = 100


@dataclass(frozen=True, slots=True)
class ServiceOfCi:
    """``hops``: how many gates lie between. ``criticality`` and ``owner`` None where nobody told. ``path``: a shortest
    way from the CI to it, each step with the gate that counts the one before, as it is while all is well."""

    ci: Named
    hops: int
    criticality: str | None
    owner: str | None
    path: tuple[StepTold, ...] = ()


@dataclass(frozen=True, slots=True)
class ServicesAnswer:
    """``items``: nearest first. ``more``: how many are not listed."""

    revision: int
    ci: Named
    items: tuple[ServiceOfCi, ...]
    more: int


def services_of(
    projections: Projections,
    viewer: Viewer,
    ci: str,
    at: int | None = None,
    known_at: int | None = None,
    limit: int = LIMIT,
) -> ServicesAnswer:
    """The services above ``ci``. Raises ``NotFound``."""

    def work(reading: Reading) -> ServicesAnswer:
        view = asked_graph(projections, viewer, reading, at, known_at)
        (number,) = view.cis("ci", [ci])
        graph, tell = view.projection, Teller.of(view)
        found, hops = above(graph, np.asarray([number]))
        rows = np.flatnonzero(service_classes(graph)[graph.class_of[found]] & (hops > 0))
        shown = rows[:limit].tolist()
        attributes = view.attributes([graph.id(int(found[row])) for row in shown])
        well = Explanation(impact(graph, []))
        distance = np.full(len(graph), -1, np.int32)
        distance[found] = hops

        def told(row: int) -> ServiceOfCi:
            one = int(found[row])
            values = {} if tell.is_hidden(one) else attributes.get(graph.id(one), {})
            return ServiceOfCi(
                tell.named(one),
                int(hops[row]),
                values.get("business_criticality"),
                values.get("owned_by"),
                tell.steps(way_up(graph, distance, one), well),
            )

        return ServicesAnswer(graph.revision, tell.named(number), tuple(map(told, shown)), len(rows) - len(shown))

    return projections.store.read(work)
