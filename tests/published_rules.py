"""The rules of other systems as their manuals tell them, evaluated word by word: what the runner of published cases is
held against. Nothing here knows of gates."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

ICINGA = ("OK", "PENDING", "WARNING", "UNKNOWN", "CRITICAL")
OPENNMS = ("INDETERMINATE", "NORMAL", "WARNING", "MINOR", "MAJOR", "CRITICAL")
WARNING = OPENNMS.index("WARNING")


def icinga(case: Mapping[str, Any]) -> str | None:
    """AND is the worst, OR the best, DEGRADED the worst with CRITICAL as WARNING, MIN n OK when n are, else the worst.
    None: not described, or not monotone."""
    states = [one if isinstance(one, str) else icinga(one) for one in case["children"]]
    if None in states or not states:
        return None
    known = sorted((str(state) for state in states), key=ICINGA.index)
    operator = case["operator"]
    if operator in ("AND", "OR"):
        return known[-1] if operator == "AND" else known[0]
    if operator == "DEGRADED":
        return None if "UNKNOWN" in _leaves(case) else "WARNING" if known[-1] == "CRITICAL" else known[-1]
    if operator == "MIN" and case["n"] <= len(known):
        return "OK" if known.count("OK") >= case["n"] else known[-1]
    return None


def _leaves(case: Mapping[str, Any]) -> set[str]:
    return {leaf for one in case["children"] for leaf in ([one] if isinstance(one, str) else _leaves(one))}


def bmc(case: Mapping[str, Any], order: Sequence[str]) -> str:
    """The i-th status, the worst first, of those that count: i = ceil(quorum * n / 100)."""
    counted = sorted((one for one in case["providers"] if one != "NONE"), key=order.index, reverse=True)
    place = math.ceil(Fraction(str(case["quorum_percent"])) * len(counted) / 100)
    return counted[place - 1] if counted else "NONE"


def mapped(function: str, severity: str) -> str:
    """What an edge makes of its child's severity; one that is NORMAL or less is not mapped."""
    place = OPENNMS.index(severity)
    if place < WARNING:
        return "NORMAL"
    if function in ("increase", "decrease"):
        return OPENNMS[min(place + 1, 5) if function == "increase" else place - 1]
    if function.startswith("set_to"):
        return max(function.split()[1], "NORMAL", key=OPENNMS.index)
    return "NORMAL" if function == "ignore" else severity


def reduced(function: str, parameter: Any, inputs: Sequence[str], weights: Sequence[int] | None = None) -> str:
    """What a reduce function makes of its inputs, each as often as its weight, divided by their greatest divisor."""
    divisor = math.gcd(*weights) if weights else 1
    often = [weight // (divisor or 1) for weight in weights or [1] * len(inputs)]
    places = [max(OPENNMS.index(one), 1) for one, times in zip(inputs, often, strict=True) for _ in range(times)]
    if function == "highest_severity":
        return OPENNMS[max(places, default=1)]
    if function == "highest_severity_above":
        return OPENNMS[max((one for one in places if one >= OPENNMS.index(parameter)), default=1)]
    if function == "threshold":
        share = Fraction(str(parameter)) * len(places)
        return next(
            (OPENNMS[cut] for cut in (5, 4, 3, 2) if places and sum(p >= cut for p in places) >= share), "NORMAL"
        )
    base = Fraction(str(parameter))
    total = sum((base ** (one - WARNING) for one in places if one >= WARNING), Fraction(0))
    return next((OPENNMS[cut] for cut in (5, 4, 3, 2) if total >= base ** (cut - WARNING)), "NORMAL")


def hierarchy(services: Mapping[str, Any], alarms: Mapping[str, str]) -> dict[str, str]:
    """The severity of every service; one is told after all that it stands on."""
    known = dict(alarms)
    for service, told in services.items():
        function, *parameter = [told["reduce"]] if isinstance(told["reduce"], str) else told["reduce"]
        inputs = [mapped(how, known.get(child, "NORMAL")) for child, how, _ in told["edges"]]
        weights = [weight for _, _, weight in told["edges"]]
        known[service] = reduced(function, parameter[0] if parameter else None, inputs, weights)
    return {service: known[service] for service in services}


def itop(case: Mapping[str, Any]) -> list[str]:
    """What comes to the ticket: reached from its CIs; reached from them and the context, and not from that alone."""
    spared, hidden = set(case["excluded_not_impacted"]), set(case.get("hidden_from_user", ()))
    mine = set(case["sources"]) - spared
    also = set(case.get("context_already_down", ())) - spared
    near = _near(case["impact_edges"], mine, case.get("max_depth", 10))
    apart, others, both = (_reached(case, some, spared, near) for some in (mine, also, mine | also))
    return sorted((apart | (both - others)) - mine - hidden)


def _near(edges: Sequence[Sequence[str]], mine: set[str], depth: int) -> dict[str, bool]:
    away = dict.fromkeys(mine, 0)
    todo = deque(mine)
    while todo:
        here = todo.popleft()
        for a, b in edges:
            if a == here and b not in away:
                away[b] = away[here] + 1
                todo.append(b)
    return {one: steps <= depth for one, steps in away.items()}


def _reached(case: Mapping[str, Any], start: set[str], spared: set[str], near: Mapping[str, bool]) -> set[str]:
    edges = {(a, b) for a, b in case["impact_edges"] if a != b}
    ruled = {(rule["node"], rule["from_class"]): rule for rule in case["redundancy"] if rule.get("enabled", True)}
    reached = set(start)
    while True:
        found = {
            b for a, b in edges
            if a in reached and b not in reached and b not in spared and near.get(b, True)
            and _passes(edges, ruled.get((b, a.partition("_")[0])), a, b, reached)
        }  # fmt: skip
        if not found:
            return reached
        reached |= found


def _passes(edges: set[tuple[str, str]], rule: Mapping[str, Any] | None, a: str, b: str, reached: set[str]) -> bool:
    """Impact goes along an edge, but over redundancy only when reached > max(0, providers - min_up)."""
    if rule is None:
        return True
    providers = {one for one, other in edges if other == b and one.partition("_")[0] == a.partition("_")[0]}
    min_up = Fraction(rule["min_up"])
    if rule["min_up_type"] == "percent":
        min_up = len(providers) * min_up / 100
    return len(providers & reached) > max(Fraction(0), len(providers) - min_up)


def shortest(edges: Sequence[Sequence[str]], a: str, b: str) -> int | None:
    """How many nodes the shortest way has; None where there is no way."""
    away, todo = {a: 1}, deque([a])
    while todo:
        here = todo.popleft()
        for one, other in edges:
            if one == here and other not in away:
                away[other] = away[here] + 1
                todo.append(other)
    return away.get(b)


def heard(rules: Sequence[Sequence[Any]], lineage: Sequence[str], attribute: str) -> list[str]:
    """Who may tell an attribute: whom a rule for it names, at the nearest class; else for all attributes, likewise."""
    own = [rule for rule in rules if rule[1] != "ALL" and attribute in rule[1]]
    for fitting in (own, [rule for rule in rules if rule[1] == "ALL"]):
        for class_ in lineage:
            if named := {source for one, _, source in fitting if one == class_}:
                return sorted(named)
    return []


def members_needed(members: int, percent: int | None, number: int | None) -> int:
    """How many of a cluster must be bad: the share, rounded up, or the number."""
    return math.ceil(Fraction(percent * members, 100)) if percent is not None else number or 0
