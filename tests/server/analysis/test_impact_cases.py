"""What other systems document: every case that gates can state has the published answer; the others are listed here.

The published cases lie beside the repository and are not part of it; those below are made from the same manuals' rules.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.case_stores import from_store
from benchmarks.impact_cases import folder, verdicts
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI

CASES = Path(__file__).parents[3] / "../shared/cases"

OUTSIDE = (
    (r"icinga.* NOT ", "not monotone"),
    (r"icinga.* DEGRADED .*UNKNOWN", "not monotone"),
    (r"opennms.* map \d+ \w+ NORMAL", "is not mapped"),
    (
        r"servicenow.* (lookup_match|alert_priority|risk_assessment_score|active_maintenance)",
        "a question of",
    ),
    (r"field_failures ", "presence and identity"),
)
"""What gates cannot state, or what is no question of impact, and why."""


def made(**document: Any) -> list[tuple[Any, Any]]:
    found = list(verdicts("made", document))
    assert all(verdict.outside is None for verdict in found)
    return [(verdict.expected, verdict.got) for verdict in found]


@pytest.mark.skipif(not CASES.is_dir(), reason="the folder of published cases, ../shared/cases, is missing")
def test_every_case_that_can_be_stated_agrees() -> None:
    found = folder(CASES)
    assert [verdict for verdict in found if not verdict.agrees] == []
    assert sum(verdict.outside is None for verdict in found) >= 50


@pytest.mark.skipif(not CASES.is_dir(), reason="the folder of published cases, ../shared/cases, is missing")
def test_every_case_that_cannot_be_stated_is_listed_with_its_reason() -> None:
    for verdict in folder(CASES):
        if verdict.outside is not None:
            assert any(re.search(case, verdict.case) and reason in verdict.outside for case, reason in OUTSIDE), verdict


@pytest.mark.skipif(not CASES.is_dir(), reason="the folder of published cases, ../shared/cases, is missing")
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def test_they_agree_on_either_store(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """All graphs go into the store at once, each with ids of its own, and every case is answered from there."""
    store: Store = request.getfixturevalue("neo4j_opener")() if engine == "neo4j" else SqliteStore(tmp_path / "cmdb.db")
    found = from_store(store, lambda: folder(CASES))
    assert len(store.read(lambda tx: tx.scan(CI, None, 1000))) > 100
    store.close()
    assert found == folder(CASES)
    assert [verdict for verdict in found if not verdict.agrees] == []


def test_a_wrong_answer_is_seen() -> None:
    ((expected, got),) = made(cases=[{"operator": "OR", "children": ["OK", "CRITICAL"], "expected": "CRITICAL"}])
    assert (expected, got) == ("CRITICAL", "OK")


def test_min_takes_the_worst_only_once_too_few_are_ok() -> None:
    children = ["OK", "OK", "CRITICAL"]
    cases = [{"operator": "MIN", "n": n, "children": children, "expected": e} for n, e in ((2, "OK"), (3, "CRITICAL"))]
    assert all(expected == got for expected, got in made(cases=cases))


def test_min_up_in_percent_of_three_needs_two() -> None:
    edges = [[f"Hypervisor_{n}", "Farm_1"] for n in range(3)]
    rule = {"node": "Farm_1", "from_class": "Hypervisor", "min_up": 50, "min_up_type": "percent"}
    case = {"impact_edges": edges, "redundancy": [rule], "excluded_not_impacted": []}
    cases = [
        {**case, "name": "one", "sources": ["Hypervisor_0"], "expected_newly_impacted": []},
        {**case, "name": "two", "sources": ["Hypervisor_0", "Hypervisor_1"], "expected_newly_impacted": ["Farm_1"]},
    ]
    assert all(expected == got for expected, got in made(cases=cases))


def test_exponential_adds_up_severities_with_a_fractional_base() -> None:
    # 1.5^0 + 1.5^0 = 2 reaches 1.5^1, and not 1.5^2.
    case = {"function": "exponential", "parameter": 1.5, "inputs": ["WARNING", "WARNING"], "expected": "MINOR"}
    assert all(expected == got for expected, got in made(cases=[case]))


def agree(**document: Any) -> None:
    found = made(**document)
    assert found and [one for one in found if one[0] != one[1]] == []


def outside(**document: Any) -> list[str]:
    return [str(verdict.outside) for verdict in verdicts("made", document)]


def icinga(operator: str, children: Any, expected: str, **more: Any) -> dict[str, Any]:
    return {"operator": operator, "children": children, "expected": expected, **more}


@pytest.mark.parametrize(
    "case",
    [
        icinga("OR", ["PENDING", "UNKNOWN"], "PENDING"), icinga("&", ["OK", "UNKNOWN"], "UNKNOWN"),
        icinga("AND", {"a": "UP", "b": "DOWN"}, "CRITICAL"), icinga("OR", ["UNREACHABLE", "DOWN"], "UNKNOWN"),
        icinga("DEGRADED", ["PENDING", "CRITICAL"], "WARNING"), icinga("DEGRADED", ["PENDING", "OK"], "PENDING"),
        icinga("MIN", ["OK"], "OK", n=1), icinga("MIN", ["OK", "WARNING"], "WARNING", n=2),
        icinga("MIN 2", ["OK", "CRITICAL", "OK"], "OK"), icinga("2", ["OK", "CRITICAL", "UNKNOWN"], "CRITICAL"),
        icinga("MIN", ["OK", "OK", "CRITICAL"], "OK", n="60%"), icinga("MIN 67%", ["OK", "OK", "CRITICAL"], "CRITICAL"),
        icinga("MIN", ["PENDING", "OK", "OK"], "PENDING", n=3),
        icinga("OR", [icinga("AND", ["OK", "CRITICAL"], ""), icinga("MIN", ["OK", "WARNING"], "", n=2)], "WARNING"),
        icinga("AND", [icinga("DEGRADED", ["CRITICAL", "OK"], ""), "OK"], "WARNING"),
    ],
    ids=str,
)  # fmt: skip
def test_operators_in_every_shape(case: dict[str, Any]) -> None:
    agree(cases=[case])


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (icinga("XOR", ["OK", "OK"], "CRITICAL"), "XOR is not monotone"),
        (icinga("!", ["OK"], "CRITICAL"), "NOT is not monotone"),
        (icinga("AND", [icinga("NOT", ["OK"], "")], "CRITICAL"), "NOT is not monotone"),
        (icinga("AND", [icinga("DEGRADED", ["UNKNOWN"], "")], "UNKNOWN"), "UNKNOWN under DEGRADED"),
        (icinga("AND", [], "UNKNOWN"), "no children"), (icinga("MIN", ["OK"], "UNKNOWN", n=2), "MIN 2 of 1 children"),
        (icinga("MOST", ["OK"], "OK"), "is not described"), (icinga("AND", ["FLAPPING"], "OK"), "no status"),
        ({"quorum_percent": 50, "providers": ["PURPLE"], "expected": "OK"}, "no status"),
        ({"function": "average", "inputs": ["MAJOR"], "expected": "MAJOR"}, "is not described"),
        ({"function": "threshold", "parameter": 0, "inputs": ["MAJOR"], "expected": "MAJOR"}, "a share"),
        ({"function": "exponential", "parameter": 1, "inputs": ["MAJOR"], "expected": "MAJOR"}, "above 1"),
        ({"function": "highest_severity", "inputs": ["PURPLE"], "expected": "MAJOR"}, "cannot be read|no severity"),
        ({"kind": "weather"}, "no question of impact"), ({"planet": "Mars"}, "no format has planet"),
        ({"operator": "AND", "expected": "OK"}, "cannot be read: it has no children"),
        ({"impact_edges": [["a"]], "sources": [], "expected_newly_impacted": []}, "cannot be read: ValueError"),
    ],
)  # fmt: skip
def test_what_cannot_be_stated_or_read_is_named(case: dict[str, Any], reason: str) -> None:
    (told,) = outside(cases=[case])
    assert re.search(reason, told)
    assert outside(other_cases=[case]) == ["cannot be read: no format has other_cases"]


def quorum(percent: float, providers: list[str], expected: str | None) -> dict[str, Any]:
    return {"id": "x", "quorum_percent": percent, "providers": providers, "expected": expected}


@pytest.mark.parametrize(
    "case",
    [
        quorum(100, ["IMPACTED", "UNAVAILABLE"], "IMPACTED"), quorum(1, ["OK", "OK", "MINOR"], "MINOR"),
        quorum(33.4, ["OK", "MINOR", "UNAVAILABLE"], "MINOR"), quorum(33.3, ["OK", "OK", "UNAVAILABLE"], "UNAVAILABLE"),
        quorum(50, ["NONE", "OK", "IMPACTED"], "IMPACTED"), quorum(50, ["NONE"], "NONE"), quorum(50, [], None),
    ],
    ids=str,
)  # fmt: skip
def test_quorums(case: dict[str, Any]) -> None:
    agree(cases=[case], order_best_to_worst_used=["OK", "MINOR", "IMPACTED", "UNAVAILABLE"])
    agree(cases=[case])


def itop(expected: list[str], edges: list[list[str]], sources: list[str], **more: Any) -> dict[str, Any]:
    return {"impact_edges": edges, "sources": sources, "expected_newly_impacted": expected, **more}


def rule(node: str, from_class: str, min_up: Any = 1, **more: Any) -> dict[str, Any]:
    return {"node": node, "from_class": from_class, "min_up": min_up, "min_up_type": "count", **more}


TWO = [["Server_1", "ApplicationSolution_1"], ["VirtualMachine_1", "ApplicationSolution_1"]]
FED = [["PowerSource_1", "Server_1"], ["PDU_1", "Server_1"], ["Server_1", "Person_1"]]
CHAIN = [[f"Server_{n}", f"Server_{n + 1}"] for n in range(1, 5)]


@pytest.mark.parametrize(
    "case",
    [
        itop(["ApplicationSolution_1"], TWO, ["Server_1"], redundancy=[rule("ApplicationSolution_1", "FunctionalCI", enabled=False)]),
        itop([], TWO, ["Server_1"], redundancy=[rule("ApplicationSolution_1", "FunctionalCI")]),
        itop(["ApplicationSolution_1"], TWO, ["Server_1"], redundancy=[rule("ApplicationSolution_1", "Hypervisor")]),
        itop([], FED, ["PDU_1"], redundancy=[rule("Server_1", "PowerConnection")]),
        itop(["Person_1", "Server_1"], FED, ["PDU_1", "PowerSource_1"], redundancy=[rule("Server_1", "PowerConnection")]),
        itop([], FED, ["PDU_1", "PowerSource_1"], redundancy=[rule("Server_1", "PowerConnection", 0)]),
        itop(["Person_1", "Server_1"], FED, ["PDU_1"], redundancy=[rule("Server_1", "PowerConnection", 9)]),
        itop(["Person_1", "Server_1"], FED, ["PDU_1"], redundancy=[rule("Server_1", "PowerConnection", "100%", min_up_type="percent")]),
        itop(["Server_2", "Server_3"], CHAIN, ["Server_1"], max_depth=2),
        itop([], CHAIN, ["Server_1"], hidden_from_user=["Server_2"], complete_analysis=False),
        itop(["Server_3", "Server_4", "Server_5"], CHAIN, ["Server_1"], hidden_from_user=["Server_2"]),
        itop([], [*CHAIN, ["Server_1", "Server_1"], ["Server_1", "Server_2"]], ["Server_1"], excluded_not_impacted=["Server_2"]),
        itop(["Server_2"], CHAIN[:1] + CHAIN[2:], ["Server_1"], context_already_down=[["Server_3"], ["Server_9"]]),
        itop([], CHAIN, ["Server_1"], excluded_not_impacted=["Server_1"]),
        itop(["Server_1", "Server_2"], [["Server_1", "Server_2"], ["Server_2", "Server_1"], ["Rack_1", "Server_1"]], ["Rack_1"]),
    ],
    ids=lambda case: " ".join(case["expected_newly_impacted"]),
)  # fmt: skip
def test_redundancy_in_every_shape(case: dict[str, Any]) -> None:
    agree(cases=[case])


FAR = [[f"Server_{n}", f"Server_{n + 1}"] for n in range(13)]
FARM = [
    ["Hypervisor_1", "Farm_1"],
    ["Hypervisor_2", "Farm_1"],
    ["Hypervisor_1", "Person_1"],
    ["Hypervisor_2", "Person_1"],
]


@pytest.mark.parametrize(
    "case",
    [
        itop([f"Server_{n}" for n in range(1, 11)], FAR, ["Server_0"]),
        itop([f"Server_{n}" for n in range(1, 14)], FAR, ["Server_0"], depth_limit=20),
        itop(["Person_1"], FARM, ["Hypervisor_1"]), itop(["Farm_1", "Person_1"], FARM, ["Hypervisor_1"], redundancy=[]),
        itop(["Server_1"], [["PDU_1", "Server_1"]], ["PDU_1"]), itop([], [["PDU_1", "Server_1"], ["PDU_2", "Server_1"]], ["PDU_1"]),
        # Hit by either ticket: it is on both lists. Hit by the other alone: it is not on this one.
        itop(["Farm_1", "Person_1"], FARM, ["Hypervisor_1"], context_already_down=["Hypervisor_2"]),
        itop([], [*FARM, ["Server_1", "Rack_1"]], ["Rack_1"], context_already_down={"R-1": ["Hypervisor_1"], "R-2": ["Hypervisor_2"]}),
        itop(["Person_1"], FARM, ["Hypervisor_1"], context_already_down=["Hypervisor_2"], excluded_not_impacted=["Hypervisor_2"]),
        itop(["Person_1"], FARM, ["Hypervisor_1"], previously_computed=["Person_1", "Farm_1"], removed_after_run=["Farm_1"]),
        itop([], [], []), itop([], [["Server_1", "Server_2"]], ["Server_2"]), itop([], [["Server_1", "Server_1"]], ["Server_1"]),
        itop(["Server_2"], CHAIN[:1], ["Server_1"], hidden_from_user=["Server_1"], complete_analysis=False),
    ],
    ids=str,
)  # fmt: skip
def test_tickets_in_every_shape(case: dict[str, Any]) -> None:
    agree(cases=[case])


def test_what_leaves_the_list_is_compared() -> None:
    case = itop(["Person_1"], FARM, ["Hypervisor_1"], previously_computed=["Farm_1"], removed_after_run=[])
    ((expected, got),) = made(cases=[case])
    assert expected != got


def test_how_often_services_change_is_named_where_it_hangs_on_an_order() -> None:
    services = {name: {"reduce": "highest_severity", "edges": edges}
                for name, edges in {"a": ["x"], "b": [["x", "increase"]], "top": ["a", "b"]}.items()}  # fmt: skip
    steps = [{"alarm": "x", "severity": "MINOR", "state_changes_total": 4, "expected": {"top": "MAJOR", "x": "MINOR"}}]
    changes, statuses = verdicts("made", {"hierarchy_cases": [{"services": services, "steps": steps}]})
    assert "twice" in (changes.outside or "")
    assert statuses.agrees
    assert statuses.outside is None


GLPI = {"forward": [["A", "B"], ["A", "C"], ["B", "D"], ["C", "D"]], "backward": [["E", "A"]], "both": []}


@pytest.mark.parametrize(
    ("a", "b", "direction", "expected"),
    [
        ("A", "D", "forward", ["A", "B", "D"]),
        ("A", "D", "forward", ["A", "C", "D"]),
        ("D", "A", "forward", []),
        ("A", "E", "backward", ["E", "A"]),
        ("A", "A", "forward", ["A"]),
        ("A", "Z", "forward", None),
        ("E", "D", "both", ["E", "A", "B", "D"]),
    ],
)
def test_ways(a: str, b: str, direction: str, expected: Any) -> None:
    agree(edges=GLPI, cases=[{"a": a, "b": b, "direction": direction, "expected_path": expected}])


def test_a_way_that_is_none_or_too_long_is_seen() -> None:
    for expected in (["A", "D"], ["A", "B", "C", "D"], []):
        case = {"a": "A", "b": "D", "direction": "forward", "expected_path": expected}
        ((wanted, got),) = made(edges=GLPI, cases=[case])
        assert wanted != got


def test_of_a_graph_what_is_told_is_compared() -> None:
    edges = [["a", "b"], ["b", "c"], ["c", "b"]]
    agree(graph_case={"edges": edges, "start": "b", "expected_nodes": 3})
    agree(graph_cases=[{"edges": edges, "start": "b", "expected_edge_flags": {"both": 2, "backward": 1}}] * 2)


@pytest.mark.parametrize(
    ("function", "told", "expected"),
    [
        ("increase", "any", "MAJOR"), ("decrease", "MINOR", "WARNING"), ("set_to NORMAL", "any", "NORMAL"),
        ("set_to CRITICAL", "WARNING", "CRITICAL"), ("ignore", "any", None), ("identity", "MAJOR", "MAJOR"),
        ("decrease", "NORMAL", "INDETERMINATE"), ("set_to INDETERMINATE", "MAJOR", "INDETERMINATE"),
    ],
)  # fmt: skip
def test_maps(function: str, told: str, expected: str | None) -> None:
    ((wanted, got),) = made(map_cases=[{"function": function, "input": told, "expected": expected}])
    assert (wanted == got) is (told != "any" or function != "increase"), "increase tells every input another"


def test_a_map_that_nobody_describes_is_named() -> None:
    assert "is not described" in outside(map_cases=[{"function": "double", "input": "MAJOR", "expected": "MAJOR"}])[0]


@pytest.mark.parametrize(
    ("function", "parameter", "inputs", "expected", "weights"),
    [
        ("highest_severity_above", "MINOR", ["WARNING", "MINOR"], "MINOR", None),
        ("highest_severity_above", "MINOR", ["WARNING"], None, None),
        ("highest_severity_above", "INDETERMINATE", ["WARNING"], "WARNING", None),
        ("highest_severity", None, ["INDETERMINATE", "CLEARED"], "INDETERMINATE", None),
        ("threshold", "0.5", ["MAJOR", "NORMAL", "WARNING", "NORMAL"], "WARNING", None),
        ("threshold", 0.75, ["CRITICAL", "CRITICAL", "CRITICAL", "NORMAL"], "CRITICAL", [1, 1, 1, 1]),
        ("threshold", 0.76, ["CRITICAL", "CRITICAL", "CRITICAL", "NORMAL"], None, [2, 2, 2, 2]),
        ("exponential", 2, ["MAJOR", "MAJOR"], "CRITICAL", None), ("exponential", 2, ["CRITICAL"] * 9, "CRITICAL", None),
        ("exponential", 4, ["WARNING"] * 3, "WARNING", None), ("exponential", 2, ["WARNING"], "WARNING", [2]),
        ("exponential", 2, ["WARNING", "NORMAL"], "MINOR", [4, 2]), ("highest_severity", None, ["MAJOR", "MINOR"], "MINOR", [0, 1]),
    ],
)  # fmt: skip
def test_reduce_functions(function: str, parameter: Any, inputs: list[str], expected: Any, weights: Any) -> None:
    case = {"function": function, "parameter": parameter, "inputs": inputs, "expected": expected, "weights": weights}
    agree(cases=[case])


def test_hierarchies_in_other_words() -> None:
    agree(hierarchy_cases=[{
        "name": "x",
        "services": {
            "Web": {"reduce": {"function": "threshold", "parameter": 0.5}, "edges": ["a", ["b", "decrease"], {"child": "c", "weight": 2}]},
            "Shop": {"reduce": ["highest_severity"], "edges": [["Web", "set_to MINOR", 1], ["d", "ignore", 3]]},
        },
        "steps": [
            {"alarm": "d", "severity": "CRITICAL", "expected": {"Shop": "NORMAL"}},
            {"alarm": "c", "severity": "MAJOR", "expected": {"Web": "MAJOR", "Shop": "MINOR"}, "state_changes_total": 2},
            {"alarm": "c", "severity": "CLEARED", "expected": {"Web": "INDETERMINATE", "Shop": "NORMAL"}},
        ],
    }])  # fmt: skip


def test_clusters_by_number_and_by_their_members() -> None:
    agree(cases=[
        {"kind": "cluster_influence", "members": 4, "influence_percent": 50, "members_needed": 2},
        {"kind": "cluster_influence", "members": ["a", "b", "c"], "influence_number": 2, "members_needed": 2},
    ])  # fmt: skip
