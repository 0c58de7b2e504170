"""The risk of a change: bounded, told term by term, never lowered by more of what it counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.risk import (
    BANDS,
    TERMS,
    Facts,
    calibration,
    default_weights,
    risk,
    weights_of,
)

COUNTS = st.integers(0, 100_000)
SERVICES = st.lists(st.tuples(st.sampled_from(["most_critical", "not_critical", None]), st.booleans()), max_size=30)
FACTS = st.builds(
    Facts,
    services=SERVICES,
    redundancy_lost=COUNTS,
    affected=COUNTS,
    past=st.tuples(st.integers(0, 50), st.integers(50, 90)),
    kind=st.sampled_from(["standard", "normal", "emergency"]),
    lineages=st.lists(st.sampled_from([("switch", "network_device", "ci"), ("server", "ci"), ("planet",)]), max_size=3),
    colliding=st.integers(0, 3),
    touching=COUNTS,
    uncertain=COUNTS,
    back_out=st.booleans(),
    in_window=st.none() | st.floats(0, 1),
    in_freeze=st.booleans(),
)
TABLE: dict[str, dict[str, Any]] = {
    "weights": dict.fromkeys(TERMS, 1), "criticality": {"unknown": 0.5}, "kind": {}, "class": {},
    "scale": dict(default_weights().scale), "bands": {"low": 0, "medium": 10, "high": 20, "very_high": 30},
}  # fmt: skip


@given(FACTS)
def test_the_score_is_the_sum_of_its_terms(facts: Facts) -> None:
    told = risk(facts)
    assert {term.name for term in told.terms} == set(TERMS)
    assert all(0 <= term.share <= 1 and term.points >= 0 for term in told.terms)
    assert 0 <= told.score <= 100
    assert told.score == round(sum(term.points for term in told.terms))


@given(FACTS, st.integers(1, 1000))
def test_more_of_anything_bad_never_lowers_it(facts: Facts, more: int) -> None:
    score = risk(facts).score
    wrong, changes = facts.past
    for worse in (
        replace(facts, services=[*facts.services, ("critical", True)]),
        replace(facts, services=[(name, True) for name, _ in facts.services]),
        replace(facts, redundancy_lost=facts.redundancy_lost + more),
        replace(facts, affected=facts.affected + more),
        replace(facts, past=(wrong + more, changes + more)),
        replace(facts, kind="emergency"),
        replace(facts, lineages=[*facts.lineages, ("router", "network_device", "ci")]),
        replace(facts, colliding=facts.colliding + more),
        replace(facts, touching=facts.touching + more),
        replace(facts, uncertain=facts.uncertain + more),
        replace(facts, back_out=False),
        replace(facts, in_freeze=True),
    ):
        assert risk(worse).score >= score


def test_a_harmless_change_is_low_and_a_terrible_one_is_not() -> None:
    harmless = risk(Facts(kind="standard", past=(0, 200), back_out=True, in_window=1.0))
    assert harmless.band == "low"
    services = [("most_critical", True)] * 5
    terrible = risk(Facts(services, 40, 9_000, (30, 40), "emergency", [("switch", "network_device")], 2, 5, 20))
    assert terrible.band == "very_high"
    assert terrible.terms[0].name == "services"


def test_what_came_of_changes_tells_what_a_band_is_worth() -> None:
    told = {one.band: one for one in calibration([(5, False)] * 90 + [(5, True)] * 10 + [(80, True)] * 3)}
    assert list(told) == list(BANDS)
    assert (told["low"].changes, told["low"].wrong) == (100, 10)
    assert told["low"].low == pytest.approx(0.0552, abs=1e-3)
    assert told["low"].high == pytest.approx(0.1744, abs=1e-3)
    assert (told["very_high"].changes, told["very_high"].wrong, told["very_high"].high) == (3, 3, 1.0)
    assert (told["high"].changes, told["high"].low, told["high"].high) == (0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"weights": {"services": 1}}, "weights: missing"),
        ({"weights": dict.fromkeys((*TERMS, "moon"), 1)}, "weights: unknown 'moon'"),
        ({"weights": dict.fromkeys(TERMS, 0)}, "all are 0"),
        ({"criticality": {"unknown": 2}}, "criticality.unknown: 2"),
        ({"scale": {"prior": "x"}}, "scale.prior: 'x'"),
        ({"colours": {}}, "unknown table 'colours'"),
    ],
)
def test_a_table_that_is_wrong_says_where(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match="risk: ") as caught:
        weights_of(TABLE | change)
    assert fault in str(caught.value)


def test_a_table_of_ones_own_counts() -> None:
    told = risk(Facts(back_out=False), weights_of(TABLE))
    assert next(term for term in told.terms if term.name == "back_out").points == pytest.approx(100 / 9)
