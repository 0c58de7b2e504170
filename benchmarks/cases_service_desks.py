"""Cases of iTop, GLPI and ServiceNow: redundancy by count and percent, paths, clusters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.case_graph import Case, Graph, Verdict, least_whole, name_id
from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.paths import path
from cmdb_server.analysis.requires import requires
from cmdb_server.model.gates import ALL, Gate, threshold


def itop(name: str, case: Case, _: Case) -> Verdict:
    hidden = set(case.get("hidden_from_user") or ())
    edges = [(str(a), str(b)) for a, b in case["impact_edges"] if a != b]
    if hidden and case.get("complete_analysis") is False:
        # What the user may not see is then not even crossed: for them it is not there.
        edges = [edge for edge in edges if hidden.isdisjoint(edge)]
    context, mine = _names(case.get("context_already_down")), list(case["sources"])
    spared = _names(case.get("excluded_not_impacted"))
    mine = [one for one in mine if one not in spared]
    graph = _itop_graph(edges, case.get("redundancy") or ())
    already = graph.fail(context, spared)
    joint = graph.fail([*mine, *context], spared)
    got = {ci for ci, state in joint.items() if state == 2} - set(already) - set(mine) - hidden
    depth = case.get("max_depth", case.get("depth"))
    if depth is not None:
        hops = graph.hops([*mine, *context], spared)
        got = {ci for ci in got if hops[ci] <= int(depth)}
    return Verdict(f"{name} {case.get('name', '')}".strip(), sorted(case["expected_newly_impacted"]), sorted(got))


def _names(told: Any) -> list[str]:
    """CIs of one list, or of several: one for each ticket."""
    return [one for each in told or () for one in ([each] if isinstance(each, str) else _names(each))]


def _itop_graph(edges: Sequence[tuple[str, str]], redundancy: Iterable[Case]) -> Graph:
    """A gate for each redundancy rule over the providers of its class; whatever no rule counts impacts by itself."""
    graph, counted = Graph(), set[tuple[str, str]]()
    for rule in redundancy:
        node = rule["node"]
        mine = [
            edge for edge in dict.fromkeys(edges)
            if edge[1] == node and edge not in counted and _is_a(edge[0].rpartition("_")[0], rule["from_class"])
        ]  # fmt: skip
        if rule.get("enabled", True) and mine:
            counted |= set(mine)
            graph.need(node, _min_up(rule, len(mine)), [a for a, _ in mine])
    for a, b in edges:
        if (a, b) not in counted:
            graph.need(b, ALL, [a])
    return graph


def _is_a(class_: str, other: str) -> bool:
    """Whether a class of iTop's data model is another one or below it."""
    if other == "FunctionalCI":
        return class_ not in CONTACTS
    return class_ == other or class_ in BELOW.get(other, ()) or any(_is_a(class_, one) for one in BELOW.get(other, ()))


CONTACTS = ("Person", "Team", "Contact", "Organization", "Location", "Service", "")
BELOW: Mapping[str, tuple[str, ...]] = {
    "Contact": ("Person", "Team"), "PowerConnection": ("PowerSource", "PDU"), "VirtualDevice": ("VirtualHost", "VirtualMachine"),
    "VirtualHost": ("Hypervisor", "Farm", "Cloud"), "ConnectableCI": ("DatacenterDevice", "PC", "Printer"),
    "DatacenterDevice": ("Server", "NetworkDevice", "StorageSystem", "SANSwitch", "TapeLibrary", "NAS"),
    "PhysicalDevice": ("ConnectableCI", "Rack", "Enclosure", "PowerConnection", "Peripheral", "MobilePhone", "Phone"),
    "SoftwareInstance": ("PCSoftware", "WebServer", "DBServer", "Middleware", "OtherSoftware"),
}  # fmt: skip
"""What iTop's manual says is below which class."""


def _min_up(rule: Case, providers: int) -> Gate:
    """Theirs fires when reached > max(0, providers - min_up): when fewer than min_up are left, all at most."""
    if rule.get("min_up_type", "count") == "count":
        return Gate("at_least", k=int(rule["min_up"]))
    share = Fraction(str(rule["min_up"]).removesuffix("%")) / 100
    return Gate("at_least", k=least_whole(providers * share, inclusive=False))


def glpi_path(name: str, case: Case, document: Case) -> Verdict:
    a, b, direction = case["a"], case["b"], case["direction"]
    told = case.get("edges", document.get("edges"))
    edges = told if isinstance(told, list) else [
        edge for way, some in told.items() if direction == "both" or way in (direction, "both") for edge in some
    ]  # fmt: skip
    graph = Graph()
    for provider, consumer in edges:
        graph.need(consumer, ALL, [provider])
    for end in (a, b):
        graph.names.setdefault(end)
    projection = graph.projection()
    source, target = (b, a) if direction == "backward" else (a, b)
    steps = path(projection, projection.ci(name_id(source)), projection.ci(name_id(target)))
    got = [projection.names[step.ci] for step in steps]
    expected = list(case["expected_path"] or ())
    pairs = {(one, other) for one, other in edges}
    if got[:1] + got[-1:] == expected[:1] + expected[-1:] and all(pair in pairs for pair in pairwise(expected)):
        expected = got if len(expected) == len(got) else expected  # one shortest way is as good as another
    return Verdict(f"{name} {a} to {b} {direction}", expected, got)


def glpi_graph(name: str, case: Case) -> Verdict:
    graph = Graph()
    for provider, consumer in case["edges"]:
        graph.need(consumer, ALL, [provider])
    graph.names.setdefault(case["start"])
    projection = graph.projection()
    start = projection.ci(name_id(case["start"]))
    hit = {projection.names[ci] for ci in impact(projection, [start]).ci.tolist()}
    needed = {projection.names[ci] for ci in requires(projection, np.asarray([start])).ci.tolist()}
    flags = {"forward": 0, "backward": 0, "both": 0}
    for provider, consumer in case["edges"]:
        forward, backward = {provider, consumer} <= hit, {provider, consumer} <= needed
        if forward or backward:
            flags["both" if forward and backward else "forward" if forward else "backward"] += 1
    got = {"expected_edge_flags": flags, "expected_nodes": len(hit | needed)}
    told = {key: case[key] for key in got if key in case}
    flagged = told.get("expected_edge_flags")
    if flagged is not None:
        told["expected_edge_flags"] = {**dict.fromkeys(flags, 0), **flagged}
    return Verdict(name, told, {key: got[key] for key in told})


def servicenow(name: str, case: Case, _: Case) -> Verdict:
    label = f"{name} {case['kind']}"
    if case["kind"] != "cluster_influence":
        return Verdict(
            label, outside=OTHER_QUESTIONS.get(case["kind"], f"{case['kind']} is no question of impact known here")
        )
    members = case["members"] if isinstance(case["members"], int) else len(case["members"])
    if "influence_percent" in case:
        gate = Gate("at_least", percent=int(case["influence_percent"]))
    else:
        gate = Gate("at_least", k=int(case["influence_number"]))
    return Verdict(label, case["members_needed"], threshold(gate, members).need)


OTHER_QUESTIONS = {
    "lookup_match": "a question of identity, not of impact",
    "static_reconciliation": "a question of precedence, not of impact",
    "alert_priority": "a question of incident priority, not of impact",
    "risk_assessment_score": "a question of change risk, not of impact",
    "active_maintenance": "a question of windows, not of impact",
}


def field_failure(name: str, case: Case, _: Case) -> Verdict:
    return Verdict(f"{name} {case['issue']}", outside="a question of presence and identity, not of impact")
