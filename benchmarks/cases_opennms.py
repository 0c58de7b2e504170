"""Cases of OpenNMS: reduce functions over mapped severities, and hierarchies of services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import lcm
from typing import Any

from benchmarks.case_graph import Case, Graph, Levels, Verdict, at, least_whole
from cmdb_server.model.gates import ALL, Gate

OPENNMS = ("INDETERMINATE", "NORMAL", "WARNING", "MINOR", "MAJOR", "CRITICAL")
NORMAL = OPENNMS.index("NORMAL")


def opennms_function(name: str, case: Case, _: Case) -> Verdict:
    function, inputs, expected = case["function"], case["inputs"], case["expected"]
    levels = Levels(OPENNMS[NORMAL:])
    for number, status in enumerate(inputs):
        levels.leaf(f"input {number}", "NORMAL" if status == "INDETERMINATE" else status)
    edges = [[f"input {number}", "identity", 1] for number in range(len(inputs))]
    weights = case.get("weights")
    if weights:
        edges = [[edge[0], edge[1], weight] for edge, weight in zip(edges, weights, strict=True)]
    problem = _reduce(levels, "top", [function, case.get("parameter")], edges)
    label = f"{name} {function} {case.get('parameter')} {' '.join(inputs)}"
    if problem:
        return Verdict(label, outside=problem)
    # Nothing counted, or nothing above NORMAL: an empty gate never fires, and their result is empty or the lowest.
    lowest = {None, "NORMAL", "INDETERMINATE"}
    got = levels.answers("top")["top"]
    return Verdict(label, "NORMAL" if expected in lowest else expected, got or "NORMAL")


def _reduce(levels: Levels, service: str, reduce: Any, edges: Sequence[Sequence[Any]]) -> str | None:
    """Add the gates of one reduce function, a gate for each cut. Returns why that cannot be done."""
    function, *parameters = [reduce] if isinstance(reduce, str) else reduce
    parameter = parameters[0] if parameters else None
    for cut in levels.cuts():
        if function in ("highest_severity", "highest_severity_above"):
            floor = levels.order.index(parameter) if function == "highest_severity_above" else 1
            inputs = [_input(levels, edge, max(cut, floor)) for edge in edges]
            levels.graph.need(at(service, cut), ALL, [one for one in inputs if one])
        elif function == "threshold":
            total = sum(int(edge[2]) for edge in edges)
            t = least_whole(total * (1 - Fraction(str(parameter))), inclusive=True)
            counted = [_input(levels, edge, cut) or at("never", cut) for edge in edges]
            _merged(levels.graph, at(service, cut), Gate("weighted", t=t), counted, [int(edge[2]) for edge in edges])
        elif function == "exponential":
            _exponential(levels, service, cut, Fraction(str(parameter)), edges)
        else:
            return f"reduce function {function} is not described in the file"
    return None


def _exponential(levels: Levels, service: str, cut: int, base: Fraction, edges: Sequence[Sequence[Any]]) -> None:
    """Down at the cut when the sum of base^severity reaches base^cut; an input adds what each of its cuts adds."""
    scale = lcm(*((base**power).denominator for power in range(len(levels.order))))
    inputs: list[str] = []
    weights: list[int] = []
    for edge in edges:
        for level in levels.cuts():
            adds = base ** (level - 1) - (base ** (level - 2) if level > 1 else 0)
            inputs.append(_input(levels, edge, level) or at("never", cut))
            weights.append(int(adds * scale) * int(edge[2]))
    reached = base ** (cut - 1) * scale
    need = least_whole(sum(weights) - reached, inclusive=True)
    _merged(levels.graph, at(service, cut), Gate("weighted", t=max(0, need)), inputs, weights)


def _merged(graph: Graph, consumer: str, gate: Gate, providers: Sequence[str], weights: Sequence[int]) -> None:
    """A provider counts once in a gate: one named repeatedly gets a helper each time."""
    seen: set[str] = set()
    helpers = []
    for number, (provider, weight) in enumerate(zip(providers, weights, strict=True)):
        if provider in seen:
            helper = f"{consumer} helper {number}"
            graph.need(helper, ALL, [provider])
            provider = helper  # noqa: PLW2901
        seen.add(provider)
        if weight > 0:
            helpers.append((provider, weight))
    total = sum(weight for _, weight in helpers)
    if (gate.t or 0) <= total:
        graph.need(consumer, gate, [one for one, _ in helpers], [weight for _, weight in helpers])


def _input(levels: Levels, edge: Sequence[Any], cut: int) -> str | None:
    """The node that says the edge's child, after its map function, is at ``cut`` or worse; None where it never is."""
    child, function = edge[0], edge[1]
    top = len(levels.order) - 1
    if function == "increase":
        return at(child, max(1, cut - 1))
    if function == "decrease":
        return at(child, cut + 1) if cut < top else None
    if function.startswith("set_to"):
        return at(child, 1) if cut <= levels.order.index(function.split(" ", 1)[1]) else None
    return None if function == "ignore" else at(child, cut)


def opennms_hierarchy(name: str, case: Case) -> Iterator[Verdict]:
    alarms: dict[str, str] = {}
    before = dict.fromkeys(case["services"], "NORMAL")
    changes = 0
    for number, step in enumerate(case["steps"]):
        alarms[step["alarm"]] = step["severity"]
        levels = Levels(OPENNMS[NORMAL:])
        for alarm, severity in alarms.items():
            levels.leaf(alarm, "NORMAL" if severity == "INDETERMINATE" else severity)
        for service, definition in case["services"].items():
            problem = _reduce(levels, service, definition["reduce"], definition["edges"])
            if problem:
                yield Verdict(name, outside=problem)
                return
        now = {service: status or "NORMAL" for service, status in levels.answers(*case["services"]).items()}
        changes += sum(now[service] != before[service] for service in now)
        before = now
        if "state_changes_total" in step:
            yield Verdict(f"{name} step {number + 1}", step["state_changes_total"], changes)
    yield Verdict(name, case["expected"], {service: before[service] for service in case["expected"]})
