"""Gate arithmetic against exact fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.errors import Invalid
from cmdb_server.model.gates import ALL, Gate, State, threshold


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_all_is_down_as_soon_as_one_is_lost(total: int, lost: int, degraded: int) -> None:
    lost = min(lost, total)
    degraded = min(degraded, total - lost)
    state = threshold(ALL, total).state(total - lost, total - lost - degraded)
    assert state == (State.DOWN if lost else State.DEGRADED if degraded else State.UP)


@given(st.integers(1, 30), st.integers(0, 100), st.booleans(), st.integers(0, 30))
def test_percent_is_compared_without_rounding(total: int, percent: int, inclusive: bool, lost: int) -> None:
    lost = min(lost, total)
    serving = total - lost
    share, wanted = Fraction(serving, total), Fraction(percent, 100)
    limits = threshold(Gate("at_least", percent=percent, inclusive=inclusive), total)
    fires = share <= wanted if inclusive else share < wanted
    if limits.under_provisioned:
        assert limits.need == total
    else:
        assert (limits.state(serving, serving) is State.DOWN) == fires


def test_a_count_above_the_members_is_clamped_and_said() -> None:
    limits = threshold(Gate("at_least", k=3), 2)
    assert (limits.need, limits.asked, limits.under_provisioned) == (2, 3, True)
    assert limits.state(2, 2) is State.UP
    assert limits.state(1, 1) is State.DOWN


def test_an_empty_gate_never_fires() -> None:
    for gate in (ALL, Gate("at_least", k=2), Gate("weighted", t=5), Gate("degrade_only")):
        assert threshold(gate, 0).state(0, 0) is State.UP


def test_weighted_wants_everything_by_default() -> None:
    limits = threshold(Gate("weighted", t=3), 6)
    assert limits.state(5, 5) is State.DEGRADED
    assert limits.state(2, 2) is State.DOWN
    assert threshold(Gate("weighted", t=3, want=4), 6).state(5, 5) is State.UP


def test_at_least_is_degraded_below_its_want_and_below_its_need_of_fully_up() -> None:
    limits = threshold(Gate("at_least", k=2, want=3), 4)
    assert limits.state(3, 3) is State.UP
    assert limits.state(2, 2) is State.DEGRADED
    assert limits.state(4, 1) is State.DEGRADED
    assert limits.state(1, 1) is State.DOWN


def test_degrade_only_is_capped() -> None:
    limits = threshold(Gate("degrade_only"), 2)
    assert limits.state(0, 0) is State.DEGRADED
    assert limits.state(2, 1) is State.DEGRADED


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("two", "gate"),
        ({"k": 2}, "gate.kind"),
        ({"kind": "most"}, "gate.kind"),
        ({"kind": "at_least"}, "gate"),
        ({"kind": "at_least", "k": 1, "percent": 3}, "gate"),
        ({"kind": "at_least", "k": True}, "gate"),
        ({"kind": "at_least", "k": -1}, "gate"),
        ({"kind": "at_least", "percent": 101}, "gate"),
        ({"kind": "at_least", "k": 1, "inclusive": "no"}, "gate"),
        ({"kind": "all", "k": 1}, "gate"),
        ({"kind": "weighted", "k": 1}, "gate"),
        ({"kind": "all", "colour": 1}, "gate"),
    ],
)
def test_a_bad_gate_is_refused_with_its_path(value: object, path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Gate.of(value)
    assert refusal.value.extra["errors"][0]["path"] == path


@pytest.mark.parametrize(
    "gate",
    [ALL, Gate("at_least", k=2), Gate("at_least", percent=50, inclusive=True, want=3), Gate("weighted", t=4, want=5)],
)
def test_a_gate_survives_its_plain_form(gate: Gate) -> None:
    assert Gate.of(gate.value()) == gate
