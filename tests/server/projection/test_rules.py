"""Which gate applies: the longer key over the shorter, the CI over its class, the class over its parents."""

from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.errors import Invalid
from cmdb_server.model.gates import ALL, Gate
from cmdb_server.projection.build import from_rows
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import Flow, Rules, overrides_of
from tests.worlds import NOW, ci_row, name_id, relation_row

TWO = {"kind": "at_least", "k": 2}


def rules() -> Rules:
    flows = (
        Flow("depends_on", "to_from", ALL, Gate("at_least", k=1)),
        Flow("member_of", "from_to", Gate("at_least", k=1)),
    )
    ancestors = {"farm": ("cluster", "ci"), "cluster": ("ci",)}
    class_gates = {
        "cluster": overrides_of({"member_of": TWO}),
        "farm": overrides_of({"member_of/server": {"kind": "all"}}),
    }
    return Rules(flows, class_gates, ancestors)


def projection(class_: str, gate: Any = None) -> Projection:
    cis = [ci_row("top", class_, {"gate": gate} if gate is not None else {}), ci_row("db", "database")]
    cis += [ci_row(f"node{n}", class_) for class_ in ("server", "hypervisor") for n in [class_]]
    relations = [relation_row(f"node{class_}", "member_of", "top") for class_ in ("server", "hypervisor")]
    relations += [relation_row("top", "depends_on", "db"), relation_row("top", "depends_on", "nodeserver", "pool")]
    return from_rows(cis, relations, rules(), 1, NOW)


def gates(made: Projection) -> dict[str, Gate]:
    top = made.ci(name_id("top"))
    return {f"{made.relation_type(g)}/{made.key_name(g)}": made.definition(g) for g in made.gates_by(top).tolist()}


def test_the_relation_type_decides_first_and_differently_over_a_group() -> None:
    assert gates(projection("application")) == {
        "depends_on/database": ALL,
        "depends_on/pool": Gate("at_least", k=1),
        "member_of/server": Gate("at_least", k=1),
        "member_of/hypervisor": Gate("at_least", k=1),
    }


def test_a_class_decides_over_the_type_and_over_its_parents() -> None:
    found = gates(projection("farm"))
    assert found["member_of/hypervisor"] == Gate("at_least", k=2)
    assert found["member_of/server"] == ALL
    assert found["depends_on/database"] == ALL


def test_a_bare_gate_of_a_ci_leaves_plain_dependencies() -> None:
    found = gates(projection("farm", TWO))
    assert found["depends_on/database"] == ALL
    assert {found[key] for key in found if key != "depends_on/database"} == {Gate("at_least", k=2)}


def test_the_longer_key_of_a_ci_wins() -> None:
    found = gates(projection("farm", {"depends_on": {"kind": "degrade_only"}, "depends_on/pool": TWO}))
    assert found["depends_on/database"] == Gate("degrade_only")
    assert found["depends_on/pool"] == Gate("at_least", k=2)
    assert found["member_of/hypervisor"] == Gate("at_least", k=2)


@pytest.mark.parametrize("value", ["two", 7, {"kind": "some"}, {"depends_on": {"kind": "at_least"}}, {"kind": "path"}])
def test_what_is_no_gate_is_left_out_with_its_reason(value: Any) -> None:
    made = projection("application", value)
    assert made.refused[made.ci(name_id("top"))].startswith("gate")
    assert gates(made) == gates(projection("application"))
    with pytest.raises(Invalid):
        overrides_of(value)


def test_the_shipped_definitions_can_be_used() -> None:
    shipped = Rules.of(relation_types(), classes())
    flows = {flow.name: flow for flow in shipped.flows}
    assert flows["depends_on"].gate == ALL
    assert flows["member_of"].gate == Gate("at_least", k=1)
    assert flows["connects_to"].link
    assert flows["connects_to"].gate is None
    assert flows["replicates_to"].gate is None
    assert "ci" in shipped.lineage("switch")
