"""Gates as people write them: which are understood, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_schemas.gate import gate_problem, gates_problem


@pytest.mark.parametrize(
    "gate",
    [
        {"kind": "all"},
        {"kind": "degrade_only"},
        {"kind": "at_least", "k": 0},
        {"kind": "at_least", "percent": 100, "inclusive": True},
        {"kind": "at_least", "k": 2, "want": 3},
        {"kind": "weighted", "t": 5},
        {"kind": "weighted", "percent": 50},
    ],
)
def test_understood(gate: dict[str, Any]) -> None:
    assert gate_problem(gate) is None
    assert gates_problem(gate) is None
    assert gates_problem({"depends_on": gate, "depends_on/database_instance": gate}) is None


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("all", "mapping"),
        ({}, "kind"),
        ({"kind": "some"}, "kind"),
        ({"kind": ["all"]}, "kind"),
        ({"kind": "all", "k": 1}, "all has no k"),
        ({"kind": "at_least"}, "takes k or percent"),
        ({"kind": "at_least", "k": 1, "percent": 50}, "takes k or percent"),
        ({"kind": "at_least", "t": 1}, "has no t"),
        ({"kind": "weighted", "k": 1}, "has no k"),
        ({"kind": "at_least", "k": -1}, "k must be"),
        ({"kind": "at_least", "k": True}, "k must be"),
        ({"kind": "at_least", "k": 1.5}, "k must be"),
        ({"kind": "at_least", "k": 1, "inclusive": 1}, "inclusive must be"),
        ({"kind": "at_least", "percent": 101}, "at most 100"),
    ],
)
def test_refused(gate: Any, said: str) -> None:
    assert said in str(gate_problem(gate))
    assert said in str(gates_problem({"depends_on": gate}))


def test_gates_are_a_mapping() -> None:
    assert gates_problem([{"kind": "all"}]) and gates_problem("all")


def test_a_way_to_a_gateway_is_asked_for_by_relation_types_alone() -> None:
    way = {"kind": "path"}
    assert gate_problem(way) is None
    assert "relation types alone" in str(gates_problem(way)) and "connects_to: path" in str(
        gates_problem({"connects_to": way})
    )
