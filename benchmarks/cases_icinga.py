"""Cases of Icinga 2 and of BMC TrueSight: operators over children, and quorums."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from benchmarks.case_graph import Case, Graph, Levels, Verdict, at, least_whole, name_id
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.model.gates import ALL, Gate

ICINGA = ("OK", "PENDING", "WARNING", "UNKNOWN", "CRITICAL")


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
    number = {name: projection.ci(name_id(name)) for name in graph.names}
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
    need = least_whole(Fraction(len(counted)) * (1 - quorum / 100), inclusive=True)
    for cut in levels.cuts():
        providers = [at(f"provider {number}", cut) for number in range(len(counted))]
        levels.graph.need(at("top", cut), Gate("at_least", k=need), providers)
    return Verdict(f"{name} {case['id']}", case["expected"], levels.answers("top")["top"] or order[0])
