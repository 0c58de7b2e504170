"""Cases of iTop: what a ticket's CIs hit, over redundancy by count and percent, beside other tickets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from benchmarks.case_graph import Case, Graph, OutsideError, Verdict, least_whole, name_id
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.context import in_context
from cmdb_server.model.gates import ALL, Gate

Pairs = Sequence[tuple[str, str]]
DEPTH = 10
"""How far from its CIs a ticket looks unless told otherwise."""
DEFAULTS = (("Farm", "Hypervisor"), ("DatacenterDevice", "PowerConnection"))
"""Which class needs one of its providers of which class, when a case says nothing of redundancy."""


def itop(name: str, case: Case, _: Case) -> Verdict:
    """What comes to a ticket's list: what its CIs hit by themselves, and what they hit only with other tickets'."""
    spared = _names(case.get("excluded_not_impacted"))
    mine = [one for one in case["sources"] if one not in spared]
    also = [one for one in _names(case.get("context_already_down")) if one not in spared]
    hidden = set(case.get("hidden_from_user") or ())
    edges = [(str(a), str(b)) for a, b in case["impact_edges"] if a != b]
    if hidden and case.get("complete_analysis") is False:
        # What the user may not see is then not even crossed: for them it is not there, unless the ticket names it.
        edges = [(a, b) for a, b in edges if b not in hidden and (a in mine or a not in hidden)]
    graph = _graph(edges, _rules(case, edges), _within(edges, mine, _depth(case)))
    for one in (*mine, *also, *spared):
        graph.names.setdefault(one)
    hit = _hit(graph, mine, also, spared) - hidden
    expected, got = sorted(case["expected_newly_impacted"]), sorted(hit)
    label = f"{name} {case.get('name', '')}".strip()
    if "removed_after_run" not in case:
        case.get("previously_computed")
        return Verdict(label, expected, got)
    removed = sorted(set(case["previously_computed"]) - hit)
    return Verdict(label, [expected, sorted(case["removed_after_run"])], [got, removed])


def _names(told: Any) -> list[str]:
    """CIs of one list, or of several: one for each ticket."""
    lists = told.values() if isinstance(told, Mapping) else told or ()
    return [one for each in lists for one in ([each] if isinstance(each, str) else _names(each))]


def _depth(case: Case) -> int:
    told = next((case[key] for key in ("max_depth", "depth", "depth_limit") if case.get(key) is not None), DEPTH)
    return int(told)


def _within(edges: Pairs, mine: Iterable[str], depth: int) -> set[str]:
    """Who is at most so many steps away from the ticket's CIs, or on no way from them."""
    away = dict.fromkeys(mine, 0)
    frontier = set(away)
    for step in range(1, len(edges) + 1):
        frontier = {b for a, b in edges if a in frontier} - set(away)
        away |= dict.fromkeys(frontier, step)
    return {one for edge in edges for one in edge if away.get(one, 0) <= depth}


def _hit(graph: Graph, mine: Sequence[str], also: Sequence[str], spared: Sequence[str]) -> set[str]:
    projection = graph.projection()
    sources, context, excluded = ([projection.ci(name_id(one)) for one in some] for some in (mine, also, spared))
    found = in_context(projection, sources, {"open": context}, excluded, most_points=0)
    for answer in (found.mine, found.others, found.joint):
        problems = check(projection, answer.certificate())
        assert not problems, problems
    hit = {*found.mine.down.tolist(), *found.together.tolist()}
    return {projection.names[ci] for ci in hit} - set(mine)


def _rules(case: Case, edges: Pairs) -> Sequence[Case]:
    told = case.get("redundancy")
    if told is not None:
        return list(told)
    return [
        {"node": node, "from_class": from_class}
        for node in dict.fromkeys(b for _, b in edges)
        for class_, from_class in DEFAULTS
        if _is_a(_class(node), class_)
    ]


def _graph(edges: Pairs, rules: Iterable[Case], near: Collection[str]) -> Graph:
    """A gate for each rule over the providers of its class; whatever no rule counts impacts by itself. Nothing impacts
    who is not ``near``, but as providers they count."""
    graph, counted = Graph(), set[tuple[str, str]]()
    for rule in rules:
        node, from_class = rule["node"], rule["from_class"]
        mine = [
            edge for edge in dict.fromkeys(edges)
            if edge[1] == node and edge not in counted and _is_a(_class(edge[0]), from_class)
        ]  # fmt: skip
        gate = _min_up(rule, len(mine))
        if rule.get("enabled", True) and mine:
            counted |= set(mine)
            if node in near:
                graph.need(node, gate, [a for a, _ in mine])
    for a, b in dict.fromkeys(edges):
        if (a, b) not in counted and b in near:
            graph.need(b, ALL, [a])
    return graph


def _class(name: str) -> str:
    return name.rpartition("_")[0]


def _is_a(class_: str, other: str) -> bool:
    """Whether a class of iTop's data model is another one or below it."""
    if other == "FunctionalCI":
        return class_ not in CONTACTS
    return class_ == other or any(_is_a(class_, one) for one in BELOW.get(other, ()))


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
    told, unit = Fraction(str(rule.get("min_up", 1)).removesuffix("%")), rule.get("min_up_type", "count")
    if unit not in ("count", "percent"):
        raise OutsideError(f"min_up_type {unit} is not described in the file")
    least = told if unit == "count" else providers * told / 100
    # More than there are is as good as all, whatever it is.
    return Gate("at_least", k=min(max(0, least_whole(least, inclusive=False)), providers + 1))
