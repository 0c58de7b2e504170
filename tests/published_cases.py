"""Cases drawn at random in every published format, with the answer that the manuals' rules give."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

from benchmarks.case_graph import Verdict
from benchmarks.case_stores import from_store
from benchmarks.impact_cases import verdicts
from cmdb_server.store.port import Store
from tests import published_rules as rules

Draw = Callable[[Random], dict[str, Any]]
BMC = ["OK", "INFO", "WARNING", "MINOR", "IMPACTED", "UNAVAILABLE"]


def icinga(random: Random, deep: int = 2) -> dict[str, Any]:
    operator = random.choice(
        ["AND", "OR", "MIN", "MIN", "DEGRADED", "NOT", "XOR"] if deep == 2 else ["AND", "OR", "MIN"]
    )
    children: list[Any] = random.choices([*rules.ICINGA, "OK"], k=random.randint(0 if deep == 2 else 1, 6))
    if deep and children and random.random() < 0.3:
        children[0] = {key: told for key, told in icinga(random, deep - 1).items() if key != "expected"}
    case: dict[str, Any] = {"operator": operator, "children": children}
    if operator == "MIN":
        case["n"] = random.randint(1, max(1, len(children)) + (random.random() < 0.1))
    case["expected"] = rules.icinga(case) or "UNKNOWN"
    return case


def bmc(random: Random) -> dict[str, Any]:
    providers = random.choices([*BMC, "NONE"], k=random.randint(0, 9))
    case = {"quorum_percent": random.choice([random.randint(1, 100), 33.3, 66.7, 50]), "providers": providers}
    return {**case, "expected": rules.bmc(case, BMC)}


def parameter(random: Random, function: str) -> Any:
    return {
        "threshold": random.choice([0.25, 0.33, 0.5, 0.75, 1.0]), "exponential": random.choice([2, 3, 1.5, 4, 2.0]),
        "highest_severity_above": random.choice(rules.OPENNMS),
    }.get(function)  # fmt: skip


def opennms(random: Random) -> dict[str, Any]:
    function = random.choice(["highest_severity", "highest_severity_above", "threshold", "exponential"])
    inputs = random.choices(rules.OPENNMS, k=random.randint(0, 8))
    weights = [random.randint(1, 6) for _ in inputs] if inputs and random.random() < 0.5 else None
    case = {"function": function, "parameter": parameter(random, function), "inputs": inputs, "weights": weights}
    return {**case, "expected": rules.reduced(function, case["parameter"], inputs, weights)}


def mapped(random: Random) -> dict[str, Any]:
    function = random.choice(["increase", "decrease", "identity", "ignore", f"set_to {random.choice(rules.OPENNMS)}"])
    severity = random.choice(rules.OPENNMS)
    return {"function": function, "input": severity, "expected": rules.mapped(function, severity)}


def hierarchy(random: Random) -> dict[str, Any]:
    """Trees, as in a net one alarm may change a service twice: in their machine only, and in an order of its own."""
    alarms = [f"alarm {number}" for number in range(random.randint(1, 6))]
    free, services = list(alarms), dict[str, Any]()
    for number in range(random.randint(1, 4)):
        below = [free.pop(random.randrange(len(free))) for _ in range(min(len(free), random.randint(1, 3)))]
        function = random.choice(["highest_severity", "threshold", "exponential", "highest_severity_above"])
        hows = ["identity", "identity", "increase", "decrease", "ignore", "set_to MINOR"]
        edges = [[one, random.choice(hows), random.randint(1, 3)] for one in below]
        services[f"service {number}"] = {"reduce": [function, parameter(random, function)], "edges": edges}
        free.append(f"service {number}")
    standing, before, total, steps = dict[str, str](), dict.fromkeys(services, "NORMAL"), 0, list[dict[str, Any]]()
    for _ in range(random.randint(1, 6)):
        step = {"alarm": random.choice(alarms), "severity": random.choice(rules.OPENNMS)}
        standing[step["alarm"]] = max(step["severity"], "NORMAL", key=rules.OPENNMS.index)
        now = rules.hierarchy(services, standing)
        total += sum(now[one] != before[one] for one in now)
        before = now
        steps.append({**step, "state_changes_total": total, "expected": now})
    return {"name": "drawn", "services": services, "steps": steps, "expected": before}


def net(random: Random) -> dict[str, Any]:
    """Services that share what they stand on."""
    below, services = [f"alarm {number}" for number in range(random.randint(1, 5))], dict[str, Any]()
    alarms = list(below)
    for number in range(random.randint(2, 6)):
        function = random.choice(["highest_severity", "threshold", "exponential", "highest_severity_above"])
        children = random.sample(below, random.randint(1, min(4, len(below))))
        edges = [
            [one, random.choice(["identity", "increase", "decrease"]), random.choice([1, 1, 2, 4])] for one in children
        ]
        services[f"service {number}"] = {"reduce": [function, parameter(random, function)], "edges": edges}
        below.append(f"service {number}")
    steps = [{"alarm": alarm, "severity": random.choice(rules.OPENNMS)} for alarm in alarms]
    standing = {step["alarm"]: max(step["severity"], "NORMAL", key=rules.OPENNMS.index) for step in steps}
    return {"name": "drawn", "services": services, "steps": steps, "expected": rules.hierarchy(services, standing)}


def itop(random: Random) -> dict[str, Any]:
    names = [
        f"{random.choice(['Server', 'Hypervisor', 'Farm', 'Person'])}_{number}"
        for number in range(random.randint(2, 14))
    ]
    some = lambda most: random.sample(names, random.randint(0, min(most, len(names))))  # noqa: E731
    edges = [random.sample(names, 2) for _ in range(random.randint(1, 2 * len(names)))]
    if random.random() < 0.3:
        edges += [list(pair) for pair in pairwise(names)] + [[names[0], names[0]]]
    case = {
        "impact_edges": edges, "sources": some(3) or names[:1], "excluded_not_impacted": some(1),
        "redundancy": [
            {"node": node, "from_class": class_, "min_up": min_up, "min_up_type": kind, "enabled": random.random() < 0.8}
            for node in dict.fromkeys(b for _, b in edges)
            for class_ in ("Server", "Hypervisor")
            for kind, min_up in [random.choice([("count", random.randint(0, 4)), ("percent", random.choice([0, 30, 50, 75, 100]))])]
            if random.random() < 0.6
        ],
    }  # fmt: skip
    optional = {"context_already_down": some(2), "hidden_from_user": some(1), "max_depth": random.randint(1, 5)}
    case |= {key: value for key, value in optional.items() if random.random() < 0.4}
    return {**case, "expected_newly_impacted": rules.itop(case)}


def glpi(random: Random) -> dict[str, Any]:
    names, ways = "ABCDEFGH", ("forward", "backward", "both")
    edges = {way: [random.choices(names, k=2) for _ in range(random.randint(0, 6))] for way in ways}
    direction = random.choice(ways[:2])
    a, b = random.choices(names, k=2)
    fitting = edges[direction] + edges["both"]
    ends = (b, a) if direction == "backward" else (a, b)
    return {"edges": edges, "a": a, "b": b, "direction": direction, "expected_path": way(fitting, *ends)}


def graph(random: Random) -> dict[str, Any]:
    edges = [random.choices("ABCDEFG", k=2) for _ in range(random.randint(0, 12))]
    start = random.choice("ABCDEFG")
    ahead, behind = (
        {one for one in "ABCDEFG" if rules.shortest(ways, start, one)} for ways in (edges, [e[::-1] for e in edges])
    )
    met = [(a in ahead and b in ahead, a in behind and b in behind) for a, b in edges]
    flags = {"forward": met.count((True, False)), "backward": met.count((False, True)), "both": met.count((True, True))}
    return {"edges": edges, "start": start, "expected_edge_flags": flags, "expected_nodes": len(ahead | behind)}


def way(edges: list[list[str]], a: str, b: str) -> list[str]:
    """A shortest way, found backwards."""
    length = rules.shortest(edges, a, b)
    found = [b] if length else []
    while length and length > 1:
        length -= 1
        found.insert(
            0, next(one for one, other in edges if other == found[0] and rules.shortest(edges, a, one) == length)
        )
    return found


def reconciliation(random: Random) -> dict[str, Any]:
    lineage = ["cmdb_ci_linux_server", "cmdb_ci_server", "cmdb_ci_computer", "cmdb_ci_hardware"]
    told = [
        [random.choice(lineage), random.choice(["ALL", ["name"], ["name", "os"], ["ram"]]), random.choice("ABC")]
        for _ in range(random.randint(1, 5))
    ]
    asked = {"linux": lineage, "computer": lineage[2:]}
    expected = {
        f"{short}.{attribute}": rules.heard(told, classes, attribute)
        for short, classes in asked.items()
        for attribute in ("name", "os", "ram")
    }
    return {"kind": "static_reconciliation", "rules": told, "expected": expected}


def cluster(random: Random) -> dict[str, Any]:
    members = random.randint(1, 12)
    by = random.choice(
        [{"influence_percent": random.randint(1, 100)}, {"influence_number": random.randint(1, members)}]
    )
    needed = rules.members_needed(members, by.get("influence_percent"), by.get("influence_number"))
    return {"kind": "cluster_influence", "members": members, **by, "members_needed": needed}


FORMATS: dict[str, tuple[str, Draw]] = {
    "icinga": ("cases", icinga), "bmc": ("cases", bmc), "opennms": ("cases", opennms), "maps": ("map_cases", mapped),
    "hierarchies": ("hierarchy_cases", hierarchy), "nets": ("hierarchy_cases", net), "graphs": ("graph_cases", graph), "itop": ("cases", itop), "glpi": ("cases", glpi),
    "reconciliation": ("cases", reconciliation), "clusters": ("cases", cluster),
}  # fmt: skip


def drawn(seed: int, each: int) -> dict[str, Any]:
    """A document of each format."""
    return {
        name: {key: [draw(Random(f"{name} {seed} {number}")) for number in range(each)]}
        for name, (key, draw) in FORMATS.items()
    }


def answered(store: Store, documents: dict[str, Any]) -> list[Verdict]:
    return from_store(store, lambda: [one for name, told in documents.items() for one in verdicts(name, told)])
