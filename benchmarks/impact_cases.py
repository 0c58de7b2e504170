"""Documented behaviour of other systems, answered by our gates.

    python -m benchmarks.impact_cases --cases DIR

DIR holds JSON files of the format of each system, told by their content. Systems with many statuses are stated as one
graph with a node for each CI and severity cut: the node is down when the CI is that bad or worse, and the answer is the
highest cut that is down. A case that gates cannot state is named with the reason. Exit code 1 when an answer differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from benchmarks.missing import skipped
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.paths import path
from cmdb_server.analysis.requires import requires
from cmdb_server.model.gates import ALL, Gate, threshold
from cmdb_server.projection.build import from_rows
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import Flow, Rules

Case = dict[str, Any]
ICINGA = ("OK", "PENDING", "WARNING", "UNKNOWN", "CRITICAL")
OPENNMS = ("INDETERMINATE", "NORMAL", "WARNING", "MINOR", "MAJOR", "CRITICAL")
NORMAL = OPENNMS.index("NORMAL")
BESIDE = Path(__file__).parents[1] / "../shared/cases"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``outside``: why our gates cannot state the case; else ``expected`` and ``got``."""

    case: str
    expected: Any = None
    got: Any = None
    outside: str | None = None

    @property
    def agrees(self) -> bool:
        return self.outside is not None or self.expected == self.got


@dataclass
class Graph:
    """A small graph by names: ``need`` adds a gate over its providers, each with its weight."""

    gates: dict[str, dict[str, Gate]] = field(default_factory=dict)
    relations: list[tuple[str, str, str, int]] = field(default_factory=list)
    names: dict[str, None] = field(default_factory=dict)

    def need(self, consumer: str, gate: Gate, providers: Sequence[str], weights: Sequence[int] | None = None) -> None:
        own = self.gates.setdefault(consumer, {})
        group = f"g{len(own)}"
        own[f"t{len(own)}/{group}"] = gate
        self.names.setdefault(consumer)
        for place, provider in enumerate(providers):
            self.names.setdefault(provider)
            weight = 1 if weights is None else weights[place]
            self.relations.append((consumer, group, provider, weight))

    def projection(self) -> Projection:
        flows = max(map(len, self.gates.values()), default=1)
        rules = Rules(tuple(Flow(f"t{number}", "to_from", ALL) for number in range(flows)))
        cis = [
            (_id(name), "ci", name, None, 0, {"gate": {key: gate.value() for key, gate in own.items()}}, 1, None)
            for name in self.names
            for own in [self.gates.get(name, {})]
        ]
        relations = [
            (_id(consumer), f"t{group[1:]}", _id(provider), group, weight, 1.0, 0, 0, 1)
            for consumer, group, provider, weight in self.relations
        ]
        return from_rows(cis, relations, rules, 1, 0)

    def fail(self, failed: Sequence[str], spared: Sequence[str] = ()) -> dict[str, int]:
        """State by name of all affected. Each answer is verified."""
        projection = self.projection()
        sources = [projection.ci(_id(name)) for name in failed if name in self.names]
        excluded = [projection.ci(_id(name)) for name in spared if name in self.names]
        answer = impact(projection, sources, excluded)
        problems = check(projection, answer.certificate())
        assert not problems, problems
        affected = zip(answer.ci.tolist(), answer.state.tolist(), strict=True)
        return {projection.names[ci]: state for ci, state in affected}


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


@dataclass
class Levels:
    """A graph with one node for each CI and severity cut of ``order`` above its first."""

    order: Sequence[str]
    graph: Graph = field(default_factory=Graph)
    failed: list[str] = field(default_factory=list)

    def cuts(self) -> range:
        return range(1, len(self.order))

    def leaf(self, name: str, status: str) -> None:
        """The CI has this status by itself."""
        self.failed += [at(name, cut) for cut in self.cuts() if self.order.index(status) >= cut]

    def answers(self, *names: str) -> dict[str, str | None]:
        """The highest cut that is down for each; None where none is."""
        down = {name for name, state in self.graph.fail(self.failed).items() if state == 2}
        return {
            name: next((self.order[cut] for cut in reversed(self.cuts()) if at(name, cut) in down), None)
            for name in names
        }


def at(name: str, cut: int) -> str:
    return f"{name} @ {cut}"


def verdicts(name: str, document: Case) -> Iterator[Verdict]:
    """Every case of a file, whatever the file is called."""
    for key, run in (
        ("operator", icinga), ("quorum_percent", bmc), ("function", opennms_function), ("impact_edges", itop),
        ("direction", glpi_path), ("kind", servicenow), ("issue", field_failure),
    ):  # fmt: skip
        for number, case in enumerate(document.get("cases", ())):
            if key in case:
                yield run(f"{name} {number}", case, document)
    for case in document.get("hierarchy_cases", ()):
        yield from opennms_hierarchy(f"{name} {case['name']}", case)
    for case in document.get("map_cases", ()):
        reason = "renames one severity: a table, with no providers to count (used inside of hierarchies)"
        yield Verdict(f"{name} map {case['function']} {case['input']}", outside=reason)
    if "graph_case" in document:
        yield glpi_graph(f"{name} graph", document["graph_case"])


def icinga(name: str, case: Case, _: Case) -> Verdict:
    operator, children, expected = case["operator"], case["children"], case["expected"]
    label = f"{name} {operator} {' '.join(children)}"
    if operator == "NOT":
        return Verdict(label, outside="NOT is not monotone: a failure would repair")
    if operator == "DEGRADED":
        return _icinga_degraded(label, children, expected)
    levels = Levels(ICINGA)
    for number, status in enumerate(children):
        levels.leaf(f"child {number}", status)
    for cut in levels.cuts():
        here, lowest = ([at(f"child {number}", one) for number in range(len(children))] for one in (cut, 1))
        if operator == "AND":
            levels.graph.need(at("top", cut), ALL, here)
        elif operator == "OR":
            levels.graph.need(at("top", cut), Gate("at_least", k=1), here)
        elif operator == "MIN":
            # The worst child counts, but only once fewer than n are OK: both helpers must be down.
            levels.graph.need(at("few", cut), Gate("at_least", k=case["n"]), lowest)
            levels.graph.need(at("worst", cut), ALL, here)
            levels.graph.need(at("top", cut), Gate("at_least", k=1), [at("few", cut), at("worst", cut)])
        else:
            return Verdict(label, outside=f"operator {operator} is not described in the file")
    return Verdict(label, expected, levels.answers("top")["top"] or "OK")


def _icinga_degraded(label: str, children: Sequence[str], expected: str) -> Verdict:
    if "UNKNOWN" in children:
        return Verdict(label, outside="UNKNOWN under DEGRADED is not monotone: a CRITICAL child would improve it")
    if "PENDING" in children:
        return Verdict(label, outside="PENDING under DEGRADED is no failure and has no state of ours")
    # WARNING is degraded, CRITICAL is down: a child's own warning is the degraded state of a leaf.
    graph = Graph()
    names = [f"child {number}" for number in range(len(children))]
    graph.need("top", Gate("degrade_only"), names)
    projection = graph.projection()
    number = {name: projection.ci(_id(name)) for name in graph.names}
    down, limping = ([number[n] for n, s in zip(names, children, strict=True) if s == status]
                     for status in ("CRITICAL", "WARNING"))  # fmt: skip
    answer = impact(projection, down, (), limping)
    assert not check(projection, answer.certificate())
    state = dict(zip(answer.ci.tolist(), answer.state.tolist(), strict=True)).get(number["top"], 0)
    return Verdict(label, expected, ("OK", "WARNING", "CRITICAL")[state])


def bmc(name: str, case: Case, document: Case) -> Verdict:
    order = document["order_best_to_worst_used"]
    counted = [status for status in case["providers"] if status != "NONE"]
    levels = Levels(order)
    for number, status in enumerate(counted):
        levels.leaf(f"provider {number}", status)
    # Fires when lost >= q% of n: when no more than (100 - q)% serve.
    quorum = Fraction(str(case["quorum_percent"]))
    need = _need(Fraction(len(counted)) * (1 - quorum / 100), inclusive=True)
    for cut in levels.cuts():
        providers = [at(f"provider {number}", cut) for number in range(len(counted))]
        levels.graph.need(at("top", cut), Gate("at_least", k=need), providers)
    return Verdict(f"{name} {case['id']}", case["expected"], levels.answers("top")["top"] or order[0])


def _need(enough: Fraction, *, inclusive: bool) -> int:
    """The least whole number that is at least ``enough``, or above it."""
    whole = enough.__floor__()
    return whole + 1 if inclusive or whole < enough else whole


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
            t = _need(total * (1 - Fraction(str(parameter))), inclusive=True)
            inputs = [_input(levels, edge, cut) or at("never", cut) for edge in edges]
            _merged(levels.graph, at(service, cut), Gate("weighted", t=t), inputs, [int(edge[2]) for edge in edges])
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
    need = _need(sum(weights) - reached, inclusive=True)
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
    return Gate("at_least", k=_need(providers * Fraction(str(rule["min_up"])) / 100, inclusive=False))


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
    steps = path(projection, projection.ci(_id(source)), projection.ci(_id(target)))
    got = [projection.names[step.ci] for step in steps]
    return Verdict(f"{name} {a} to {b} {case['direction']}", case["expected_path"], got)


def glpi_graph(name: str, case: Case) -> Verdict:
    graph = Graph()
    for provider, consumer in case["edges"]:
        graph.need(consumer, ALL, [provider])
    projection = graph.projection()
    start = projection.ci(_id(case["start"]))
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


def folder(cases: Path) -> list[Verdict]:
    """All cases of all files."""
    found = []
    for file in sorted(cases.glob("*.json")):
        found += verdicts(file.stem, json.loads(file.read_text(encoding="utf-8")))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=Path, default=BESIDE, metavar="DIR")
    parser.add_argument("--scale", help="taken as by the other benchmarks; cases have one size")
    cases = parser.parse_args().cases
    if cases == BESIDE and not cases.is_dir():
        return skipped(f"there are no published cases in {cases}")
    found = folder(cases)
    for verdict in found:
        if not verdict.agrees:
            print(f"DIFFERS {verdict.case}: expected {verdict.expected}, got {verdict.got}")
    stated = [verdict for verdict in found if verdict.outside is None]
    print(f"{len(stated)} cases stated, {sum(verdict.agrees for verdict in stated)} agree")
    print("not stated:")
    for verdict in found:
        if verdict.outside is not None:
            print(f"  {verdict.case}: {verdict.outside}")
    return 0 if stated and all(verdict.agrees for verdict in stated) else 1


if __name__ == "__main__":
    sys.exit(main())
