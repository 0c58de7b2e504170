"""Cases of GLPI: ways between two items, and what an item's graph holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.case_graph import Case, Graph, OutsideError, Verdict, name_id
from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.paths import path
from cmdb_server.analysis.requires import requires
from cmdb_server.model.gates import ALL
from cmdb_server.projection.projection import Projection

Pairs = list[Sequence[str]]
WAYS = ("forward", "backward", "both")


def glpi_path(name: str, case: Case, document: Case) -> Verdict:
    """A shortest way, over the edges whose flag fits the direction."""
    a, b, direction = case["a"], case["b"], case["direction"]
    edges = _edges(case.get("edges", document.get("edges")), direction)
    projection = _projection(edges, (a, b))
    source, target = (b, a) if direction == "backward" else (a, b)
    steps = path(projection, projection.ci(name_id(source)), projection.ci(name_id(target)))
    got = [projection.names[step.ci] for step in steps]
    expected = list(case["expected_path"] or ())
    pairs = {(one, other) for one, other in edges}
    if got[:1] + got[-1:] == expected[:1] + expected[-1:] and all(pair in pairs for pair in pairwise(expected)):
        expected = got if len(expected) == len(got) else expected  # one shortest way is as good as another
    return Verdict(f"{name} {a} to {b} {direction}", expected, got)


def _edges(told: Any, direction: str) -> Pairs:
    if direction not in WAYS:
        raise OutsideError(f"direction {direction} is not described in the file")
    if isinstance(told, list):
        return told
    if unknown := sorted(set(told) - set(WAYS)):
        raise OutsideError(f"edges that are {unknown[0]} are not described in the file")
    fits = WAYS if direction == "both" else (direction, "both")
    return [edge for way, some in told.items() if way in fits for edge in some]


def _projection(edges: Pairs, others: Iterable[str]) -> Projection:
    graph = Graph()
    for consumer in dict.fromkeys(consumer for _, consumer in edges):
        graph.need(consumer, ALL, list(dict.fromkeys(one for one, other in edges if other == consumer)))
    for name in others:
        graph.names.setdefault(name)
    return graph.projection()


def glpi_graph(name: str, case: Case) -> Verdict:
    """Which items hang together with one, and in which direction the edges between them were met."""
    edges = case["edges"]
    projection = _projection(edges, [case["start"]])
    start = projection.ci(name_id(case["start"]))
    hit = {projection.names[ci] for ci in impact(projection, [start]).ci.tolist()}
    needed = {projection.names[ci] for ci in requires(projection, np.asarray([start])).ci.tolist()}
    flags = dict.fromkeys(WAYS, 0)
    for provider, consumer in edges:
        forward, backward = {provider, consumer} <= hit, {provider, consumer} <= needed
        if forward or backward:
            flags["both" if forward and backward else "forward" if forward else "backward"] += 1
    got = {"expected_edge_flags": flags, "expected_nodes": len(hit | needed), "expected_edges": sum(flags.values())}
    told = {key: case[key] for key in got if key in case}
    if not told:
        raise OutsideError("nothing is expected of it")
    if told.get("expected_edge_flags") is not None:
        told["expected_edge_flags"] = {**dict.fromkeys(flags, 0), **dict(told["expected_edge_flags"].items())}
    return Verdict(f"{name} from {case['start']}", told, {key: got[key] for key in told})
