"""Cases of Icinga 2 and of BMC TrueSight: operators over children, which may be operators themselves, and quorums."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from benchmarks.case_graph import Case, Graph, Levels, OutsideError, Verdict, at, least_whole, name_id
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.model.gates import ALL, Gate

ICINGA = ("OK", "PENDING", "WARNING", "UNKNOWN", "CRITICAL")
HOSTS = {"UP": "OK", "UNREACHABLE": "UNKNOWN", "DOWN": "CRITICAL"}
"""States of hosts, in the order that they have among those of services."""
SIGNS = {"&": "AND", "|": "OR", "!": "NOT", "%": "DEGRADED", "^": "XOR"}
"""How a configuration file writes the operators; a number is MIN."""
BMC = ("OK", "INFO", "WARNING", "MINOR", "IMPACTED", "UNAVAILABLE")
UNCOUNTED = "NONE"


def icinga(name: str, case: Case, _: Case) -> Verdict:
    operator, children, expected = case["operator"], _children(case), case["expected"]
    label = f"{name} {operator} {' '.join(map(_word, children))}"
    tree = _Tree()
    try:
        _status(expected)
        if (
            children
            and _named(case)[0] == "DEGRADED"
            and all(child in ("OK", "WARNING", "CRITICAL") for child in children)
        ):
            return _icinga_degraded(label, children, expected)
        tree.operator("top", case)
    except OutsideError as outside:
        return Verdict(label, outside=str(outside))
    return Verdict(label, HOSTS.get(expected, expected), tree.levels.answers("top")["top"] or "OK")


def _children(case: Case) -> list[Any]:
    told = case["children"]
    return list(told.values()) if isinstance(told, Mapping) else list(told)


def _word(child: Any) -> str:
    return child if isinstance(child, str) else f"({child['operator']} {' '.join(map(_word, _children(child)))})"


def _status(child: Any) -> str:
    told = str(HOSTS.get(child, child))
    if told not in ICINGA:
        raise OutsideError(f"{child} is no status in the order that the file tells")
    return told


def _named(case: Case) -> tuple[str, Any]:
    """The operator, and how many children MIN needs: told apart, or with it."""
    operator = SIGNS.get(str(case["operator"]), str(case["operator"]).upper())
    found = re.fullmatch(r"(?:MIN\s*)?(\d+\s*%?)", operator)
    if found:
        return "MIN", found[1]
    return operator, case.get("n", case.get("min")) if operator == "MIN" else None


def _least(told: Any, children: int) -> int:
    """How many children: a number, or per cent of them."""
    text = str(told).strip()
    share = text.endswith("%")
    least = least_whole(Fraction(text[:-1].strip()) * children / 100, inclusive=False) if share else int(text)
    if least > children:
        raise OutsideError(f"MIN {least} of {children} children is not described: with us all of them are enough")
    return max(0, least)


@dataclass
class _Tree:
    """Operators as nodes, each with a node for every severity cut."""

    levels: Levels = field(default_factory=lambda: Levels(ICINGA))

    def operator(self, node: str, case: Case) -> None:
        """Add the gates of one operator, after those of its children. Raises OutsideError for what is not monotone."""
        operator, least = _named(case)
        names = []
        if not _children(case):
            raise OutsideError(f"{operator} of no children is not described: with us an empty gate never fires")
        for number, child in enumerate(_children(case)):
            names.append(f"{node} {number}")
            if isinstance(child, str):
                self.levels.leaf(names[-1], _status(child))
            else:
                self.operator(names[-1], child)
        if operator == "DEGRADED" and "UNKNOWN" in _leaves(case):
            raise OutsideError("UNKNOWN under DEGRADED is not monotone: a CRITICAL child would improve it")
        for cut in self.levels.cuts():
            self._gate(node, cut, operator, least, names)

    def _gate(self, node: str, cut: int, operator: str, least: Any, names: Sequence[str]) -> None:
        graph = self.levels.graph
        here, lowest = ([at(name, one) for name in names] for one in (cut, 1))
        if operator == "AND":
            graph.need(at(node, cut), ALL, here)
        elif operator == "OR":
            graph.need(at(node, cut), Gate("at_least", k=1), here)
        elif operator == "MIN" and least is not None:
            # The worst child counts, but only once fewer than n are OK: both helpers must be down.
            few, worst = f"few of {node}", f"worst of {node}"
            graph.need(at(few, cut), Gate("at_least", k=_least(least, len(names))), lowest)
            graph.need(at(worst, cut), ALL, here)
            graph.need(at(node, cut), Gate("at_least", k=1), [at(few, cut), at(worst, cut)])
        elif operator == "DEGRADED":
            if cut <= ICINGA.index("WARNING"):
                graph.need(at(node, cut), ALL, here)
        elif operator in NOT_MONOTONE:
            raise OutsideError(NOT_MONOTONE[operator])
        else:
            raise OutsideError(f"operator {operator} is not described in the file")


NOT_MONOTONE = {
    "NOT": "NOT is not monotone: a failure would repair",
    "XOR": "XOR is not monotone: of two that are up the failure of one would repair",
}


def _leaves(case: Any) -> Iterator[str]:
    if isinstance(case, str):
        yield _status(case)
    else:
        for child in _children(case):
            yield from _leaves(child)


def _icinga_degraded(label: str, children: Sequence[str], expected: str) -> Verdict:
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
    order = document.get("order_best_to_worst_used") or BMC
    label = f"{name} {case.get('id', '')}".strip()
    counted = [status for status in case["providers"] if status != UNCOUNTED]
    # Of no providers that count, theirs tells none: with us an empty gate never fires.
    expected = order[0] if not counted and case["expected"] in (UNCOUNTED, None) else case["expected"]
    for status in (*counted, expected):
        if status not in order:
            raise OutsideError(f"{status} is no status in the order that the file tells")
    quorum = Fraction(str(case["quorum_percent"]).removesuffix("%"))
    if not 0 < quorum <= 100:
        raise OutsideError(f"a quorum of {quorum} % is of no provider: it takes more than 0, and 100 at most")
    levels = Levels(order)
    for number, status in enumerate(counted):
        levels.leaf(f"provider {number}", status)
    # Fires when lost >= q% of n: when no more than (100 - q)% serve.
    need = least_whole(Fraction(len(counted)) * (1 - quorum / 100), inclusive=True)
    for cut in levels.cuts():
        providers = [at(f"provider {number}", cut) for number in range(len(counted))]
        levels.graph.need(at("top", cut), Gate("at_least", k=need), providers)
    return Verdict(label, expected, levels.answers("top")["top"] or order[0])
