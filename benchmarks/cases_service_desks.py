"""Cases of iTop, GLPI and ServiceNow: redundancy by count and percent, paths, clusters."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from benchmarks.case_graph import Case, Graph, Verdict, least_whole, name_id
from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.paths import path
from cmdb_server.analysis.requires import requires
from cmdb_server.model.gates import ALL, Gate, threshold


def itop(name: str, case: Case, _: Case) -> Verdict:
    graph, counted = Graph(), set()
    for rule in case["redundancy"]:
        if not rule.get("enabled", True):
            continue
        node = rule["node"]
        edges = [(a, b) for a, b in case["impact_edges"] if b == node and a.rpartition("_")[0] == rule["from_class"]]
        counted |= set(edges)
        graph.need(node, _min_up(rule, len(edges)), [a for a, _ in edges])
    for a, b in case["impact_edges"]:
        if (a, b) not in counted:
            graph.need(b, ALL, [a])
    context, mine = case.get("context_already_down", []), case["sources"]
    spared = case["excluded_not_impacted"]
    already = graph.fail(context, spared)
    joint = graph.fail([*mine, *context], spared)
    hidden = set(case.get("hidden_from_user", ()))
    got = {ci for ci, state in joint.items() if state == 2} - set(already) - set(mine) - hidden
    return Verdict(f"{name} {case['name']}", sorted(case["expected_newly_impacted"]), sorted(got))


def _min_up(rule: Case, providers: int) -> Gate:
    """Theirs fires when reached > max(0, providers - min_up): when fewer than min_up are left, all at most."""
    if rule["min_up_type"] == "count":
        return Gate("at_least", k=int(rule["min_up"]))
    return Gate("at_least", k=least_whole(providers * Fraction(str(rule["min_up"])) / 100, inclusive=False))


def glpi_path(name: str, case: Case, document: Case) -> Verdict:
    graph = Graph()
    a, b, forward = case["a"], case["b"], case["direction"] == "forward"
    edges = [*document["edges"][case["direction"]], *document["edges"]["both"]]
    for provider, consumer in edges:
        graph.need(consumer, ALL, [provider])
    for end in (a, b):
        graph.names.setdefault(end)
    projection = graph.projection()
    source, target = (a, b) if forward else (b, a)
    steps = path(projection, projection.ci(name_id(source)), projection.ci(name_id(target)))
    got = [projection.names[step.ci] for step in steps]
    return Verdict(f"{name} {a} to {b} {case['direction']}", case["expected_path"], got)


def glpi_graph(name: str, case: Case) -> Verdict:
    graph = Graph()
    for provider, consumer in case["edges"]:
        graph.need(consumer, ALL, [provider])
    projection = graph.projection()
    start = projection.ci(name_id(case["start"]))
    hit = {projection.names[ci] for ci in impact(projection, [start]).ci.tolist()}
    needed = {projection.names[ci] for ci in requires(projection, np.asarray([start])).ci.tolist()}
    flags = {"forward": 0, "backward": 0, "both": 0}
    for provider, consumer in case["edges"]:
        forward, backward = {provider, consumer} <= hit, {provider, consumer} <= needed
        if forward or backward:
            flags["both" if forward and backward else "forward" if forward else "backward"] += 1
    expected = (case["expected_edge_flags"], case["expected_nodes"])
    return Verdict(name, expected, (flags, len(hit | needed)))


def servicenow(name: str, case: Case, _: Case) -> Verdict:
    label = f"{name} {case['kind']}"
    if case["kind"] == "cluster_influence":
        limits = threshold(Gate("at_least", percent=case["influence_percent"]), case["members"])
        return Verdict(label, case["members_needed"], limits.need)
    return Verdict(label, outside=OTHER_QUESTIONS.get(case["kind"], "not a question of impact"))


OTHER_QUESTIONS = {
    "lookup_match": "a question of identity, not of impact",
    "static_reconciliation": "a question of precedence, not of impact",
    "alert_priority": "a question of incident priority, not of impact",
    "risk_assessment_score": "a question of change risk, not of impact",
    "active_maintenance": "a question of windows, not of impact",
}


def field_failure(name: str, case: Case, _: Case) -> Verdict:
    return Verdict(f"{name} {case['issue']}", outside="a question of presence and identity, not of impact")
