"""What other systems document: every case that gates can state has the published answer; the others are listed here.

The published cases lie beside the repository and are not part of it; those below are made from the same manuals' rules.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.impact_cases import folder, verdicts

CASES = Path(__file__).parents[3] / "../shared/cases"

OUTSIDE = (
    (r"icinga.* NOT ", "not monotone"),
    (r"icinga.* DEGRADED .*UNKNOWN", "not monotone"),
    (r"opennms.* map ", "renames one severity"),
    (
        r"servicenow.* (lookup_match|static_reconciliation|alert_priority|risk_assessment_score|active_maintenance)",
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
