"""Cases of OpenNMS: reduce functions over mapped severities, and hierarchies of services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from benchmarks.case_graph import Case, Graph, Levels, OutsideError, Verdict, at, least_whole
from cmdb_server.model.gates import ALL, Gate

OPENNMS = ("INDETERMINATE", "NORMAL", "WARNING", "MINOR", "MAJOR", "CRITICAL")
NORMAL = OPENNMS.index("NORMAL")


def opennms_function(name: str, case: Case, _: Case) -> Verdict:
    function, inputs, expected = case["function"], case["inputs"], case["expected"]
    levels = Levels(OPENNMS[NORMAL:])
    for number, status in enumerate(inputs):
        levels.leaf(f"input {number}", severity(status))
    edges = [[f"input {number}", "identity", 1] for number in range(len(inputs))]
    weights = case.get("weights")
    if weights:
        edges = [[edge[0], edge[1], weight] for edge, weight in zip(edges, weights, strict=True)]
    label = f"{name} {function} {case.get('parameter')} {' '.join(map(str, inputs))}"
    _reduce(levels, "top", [function, case.get("parameter")], edges)
    # Nothing counted, or nothing above NORMAL: an empty gate never fires, and their result is empty or the lowest.
    return Verdict(label, _result(expected), levels.answers("top")["top"] or "NORMAL")


def severity(told: Any) -> str:
    """A severity, none of which is below NORMAL."""
    status = str(told).upper()
    if status in ("INDETERMINATE", "CLEARED"):
        return "NORMAL"
    if status not in OPENNMS:
        raise OutsideError(f"{told} is no severity")
    return status


def _reduce(levels: Levels, service: str, reduce: Any, edges: Sequence[Sequence[Any]]) -> None:
    """Add the gates of one reduce function, a gate for each cut. Raises OutsideError where that cannot be done."""
    if isinstance(reduce, dict):
        reduce = [reduce["function"], reduce.get("parameter")]
    function, *parameters = [reduce] if isinstance(reduce, str) else reduce
    parameter = parameters[0] if parameters else None
    divisor = gcd(*(_weight(edge[2]) for edge in edges)) or 1
    edges = [[*edge[:2], edge[2] // divisor] for edge in edges if edge[2]]
    if function == "threshold" and not 0 < Fraction(str(parameter)) <= 1:
        raise OutsideError("a threshold is a share above 0, up to 1")
    if function == "exponential" and Fraction(str(parameter)) <= 1:
        raise OutsideError("an exponential has a base above 1: no sum reaches a power of any other")
    for cut in levels.cuts():
        if function in ("highest_severity", "highest_severity_above"):
            floor = levels.order.index(severity(parameter)) if function == "highest_severity_above" else 1
            inputs = [_input(levels, edge, max(cut, floor)) for edge in edges]
            levels.graph.need(at(service, cut), ALL, [one for one in inputs if one])
        elif function == "threshold":
            total = sum(edge[2] for edge in edges)
            t = least_whole(total * (1 - Fraction(str(parameter))), inclusive=True)
            counted = [_input(levels, edge, cut) or at("never", cut) for edge in edges]
            _merged(levels.graph, at(service, cut), Gate("weighted", t=t), counted, [edge[2] for edge in edges])
        elif function == "exponential":
            _exponential(levels, service, cut, Fraction(str(parameter)), edges)
        else:
            raise OutsideError(f"reduce function {function} is not described in the file")


def _weight(told: Any) -> int:
    """How often an input counts."""
    if isinstance(told, bool) or not isinstance(told, int) or told < 0:
        raise OutsideError(f"a weight of {told} is no number of times")
    return told


def _exponential(levels: Levels, service: str, cut: int, base: Fraction, edges: Sequence[Sequence[Any]]) -> None:
    """Down at the cut when the sum of base^severity reaches base^cut; an input adds what each of its cuts adds."""
    scale = lcm(*((base ** (power - 1)).denominator for power in levels.cuts()))
    inputs: list[str] = []
    weights: list[int] = []
    for edge in edges:
        for level in levels.cuts():
            adds = base ** (level - 1) - (base ** (level - 2) if level > 1 else 0)
            inputs.append(_input(levels, edge, level) or at("never", cut))
            weights.append(int(adds * scale) * edge[2])
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
    child, function = edge[0], str(edge[1] or "identity")
    top = len(levels.order) - 1
    if function == "increase":
        return at(child, max(1, cut - 1))
    if function == "decrease":
        return at(child, cut + 1) if cut < top else None
    if function.startswith("set_to"):
        return at(child, 1) if cut <= levels.order.index(severity(function.split(maxsplit=1)[1])) else None
    if function not in ("identity", "ignore"):
        raise OutsideError(f"map function {function} is not described in the file")
    return None if function == "ignore" else at(child, cut)


def opennms_map(name: str, case: Case) -> Verdict:
    """One edge under the highest severity, for every severity that is mapped."""
    function, told, expected = case["function"], str(case["input"]), case["expected"]
    label = f"{name} {function} {told}"
    inputs = OPENNMS[NORMAL + 1 :] if told == "any" else (told,)
    wanted = {one: _result(one if expected == "same" else expected) for one in inputs}
    if severity(inputs[0]) == "NORMAL" != wanted[inputs[0]]:
        raise OutsideError("of the function alone: what is NORMAL is not mapped in a hierarchy")
    got = {}
    for one in inputs:
        levels = Levels(OPENNMS[NORMAL:])
        levels.leaf("input", severity(one))
        _reduce(levels, "top", "highest_severity", [["input", function, 1]])
        got[one] = levels.answers("top")["top"] or "NORMAL"
    return Verdict(label, wanted, got)


def _result(told: Any) -> str:
    """What comes out of a function. Nothing is as good as the lowest: an empty gate never fires."""
    return "NORMAL" if told is None or str(told).upper() in ("EMPTY", "NONE", "IGNORED") else severity(told)


def opennms_hierarchy(name: str, case: Case) -> Iterator[Verdict]:
    """The services' severities as alarms come in one by one, and how often any has changed."""
    services = case["services"]
    before = dict.fromkeys(services, "NORMAL")
    changes, at_once = 0, False
    alarms: dict[str, str] = {}
    for number, step in enumerate(case["steps"], 1):
        label = f"{name} step {number}"
        were = {**before, **alarms}
        alarms[step["alarm"]] = severity(step["severity"])
        now = _hierarchy(services, alarms)
        changes += sum(now[service] != before[service] for service in now)
        at_once = at_once or _twice(services, were, {**now, **alarms})
        before = now
        if "state_changes_total" in step:
            total, why = step["state_changes_total"], AT_ONCE if at_once else None
            yield Verdict(f"{label} changes", outside=why) if why else Verdict(f"{label} changes", total, changes)
        if "expected" in step:
            yield _held(label, step["expected"], {**alarms, **now})
    if "expected" in case:
        yield _held(name, case["expected"], {**alarms, **before})


AT_ONCE = "theirs may change a service twice on the way from one alarm to it, depending on the order of its edges"


def _twice(services: Any, before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether several inputs of one service changed in one step."""
    changed = {one for one in now if now[one] != before.get(one, "NORMAL")}
    return any(len({_edge(one)[0] for one in told["edges"]} & changed) > 1 for told in services.values())


def _held(label: str, told: Any, now: Mapping[str, str]) -> Verdict:
    expected = {service: severity(status) for service, status in told.items()}
    return Verdict(label, expected, {service: now.get(service) for service in expected})


def _hierarchy(services: Any, alarms: Mapping[str, str]) -> dict[str, str]:
    """The severity of every service while these alarms stand."""
    levels = Levels(OPENNMS[NORMAL:])
    for alarm, status in alarms.items():
        levels.leaf(alarm, status)
    for service, definition in services.items():
        _reduce(levels, service, definition["reduce"], [_edge(one) for one in definition["edges"]])
    return {service: status or "NORMAL" for service, status in levels.answers(*services).items()}


def _edge(told: Any) -> Sequence[Any]:
    """Child, map function and weight; identity and 1 where they are not told."""
    if isinstance(told, str):
        return [told, "identity", 1]
    if isinstance(told, dict):
        return [told["child"], told.get("map"), told.get("weight", 1)]
    return [*told, *("identity", 1)[len(told) - 1 :]]
