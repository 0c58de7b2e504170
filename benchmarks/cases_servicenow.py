"""Cases of ServiceNow: how many members a cluster can lose, and whose word counts for an attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from benchmarks.case_graph import Case, Graph, OutsideError, Verdict, least_whole
from cmdb_schemas.ci_class import classes
from cmdb_server.model.gates import Gate, State
from cmdb_server.model.precedence import Candidate, Rules, rules_of, winner


def servicenow(name: str, case: Case, _: Case) -> Verdict:
    kind = case["kind"]
    label = f"{name} {kind} {case.get('name', '')}".strip()
    if kind == "cluster_influence":
        return Verdict(label, case["members_needed"], _members_needed(case))
    if kind == "static_reconciliation":
        return _reconciled(label, case)
    reason = OTHER_QUESTIONS.get(kind, f"{kind} is no question of impact known here")
    return Verdict(label, outside=reason)


OTHER_QUESTIONS = {
    "lookup_match": "a question of identity, not of impact: theirs takes the CI that most rows of a lookup table name, "
    "and the oldest of several; ours weighs all evidence, and asks where two CIs have the same",
    "alert_priority": "a question of incident priority, not of impact: there is no score of alerts",
    "risk_assessment_score": "a question of change risk, not of impact: theirs adds up what people answered, ours is a "
    "weighted mean of what the graph tells",
    "active_maintenance": "a question of windows, not of impact, told in words: with us a change in implement also "
    "stays active past its end",
}


MEMBERS = 1000


def _members_needed(case: Case) -> int | None:
    """The fewest members that take the cluster down with them; None: not even all do."""
    told = case["members"]
    if isinstance(told, int) and not 0 < told <= MEMBERS:
        raise OutsideError(f"a cluster of {told} members is not tried")
    names = [f"member {number}" for number in range(told)] if isinstance(told, int) else list(told)
    graph = Graph()
    graph.need("cluster", _influence(case, len(names)), names)
    fail = (count for count in range(1, len(names) + 1) if graph.fail(names[:count]).get("cluster") == State.DOWN)
    return next(fail, None)


def _influence(case: Case, members: int) -> Gate:
    """Fires when so many members, or so large a share of them, are lost: when no more than the rest serve."""
    if "influence_percent" in case:
        share = Fraction(str(case["influence_percent"]).removesuffix("%")) / 100
        lost = least_whole(members * share, inclusive=False)
    else:
        lost = int(case["influence_number"])
    if not 0 < lost <= members:
        raise OutsideError(f"an influence of {lost} of {members} members is not described in the file")
    return Gate("at_least", k=members - lost, inclusive=True)


def _reconciled(label: str, case: Case) -> Verdict:
    """For each attribute of a class: the sources whose word stands against that of a source with no say in it."""
    rules = _rules(case["rules"])
    sources = list(dict.fromkeys(rule[2] for rule in case["rules"]))
    expected, got = dict(case["expected"].items()), {}
    for asked in expected:
        class_, _, attribute = asked.rpartition(".")
        lineage = _lineage(class_, [rule[0] for rule in case["rules"]])
        got[asked] = list(_heard(rules, lineage, attribute, sources))
    ranked = any(len(rule) > 3 for rule in case["rules"])
    if not ranked:
        expected, got = ({key: sorted(some) for key, some in each.items()} for each in (expected, got))
    return Verdict(label, expected, got)


def _rules(told: Sequence[Sequence[Any]]) -> Rules:
    """[class, attributes or ALL, source] and perhaps its priority, the smallest first; without one all are equal."""
    orders: dict[tuple[str, str], dict[int, list[str]]] = {}
    for class_, attributes, source, *priority in told:
        for attribute in ["*"] if attributes in ("ALL", None, []) else attributes:
            ranks = orders.setdefault((_own(class_), attribute), {})
            ranks.setdefault(int(priority[0]) if priority else 0, []).append(source)
    return rules_of({
        "rule": [
            {"class": class_, "attribute": attribute, "order": [ranks[rank] for rank in sorted(ranks)]}
            for (class_, attribute), ranks in orders.items()
        ]
    })  # fmt: skip


def _heard(rules: Rules, lineage: Sequence[str], attribute: str, sources: Sequence[str]) -> Iterator[str]:
    """In order of precedence, though whoever comes later in it told something newer."""
    left = list(sources)
    while left:
        others = [Candidate(one, one, one, since=place, confirmed_at=place) for place, one in enumerate(left, 1)]
        stranger = Candidate("", "", "nobody's", since=len(left) + 1, confirmed_at=len(left) + 1)
        first = winner([*others, stranger], rules, at=len(left) + 2, lineage=lineage, attribute=attribute).winner
        if first is None or first is stranger:
            return
        yield first.source
        left.remove(first.source)


NAMES: Mapping[str, str] = {"win_server": "windows_server", "esx_server": "hypervisor", "netgear": "network_device"}


def _own(class_: str) -> str:
    """Our name of a class."""
    told = class_.removeprefix("cmdb_ci").removeprefix("_") or "ci"
    return NAMES.get(told, told)


def _lineage(short: str, named: Sequence[str]) -> tuple[str, ...]:
    """The class that a word such as ``linux`` stands for, among those of the rules or else of all, and its ancestors."""
    known = classes()
    short = _own(short)
    for names in ([_own(one) for one in named], sorted(known)):
        for one in names:
            if one in known and (one == short or one.startswith(f"{short}_")):
                return (one, *known[one].ancestors)
    raise OutsideError(f"{short} is no class known here")
