"""Relation types: which way failure flows, what may stand at the ends, and what is said of a wrong definition."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.errors import DefinitionError
from cmdb_schemas.relations import Gate, RelationType, relation_types


@pytest.mark.parametrize("one", relation_types().values(), ids=lambda one: one.name)
def test_shipped_types_are_whole(one: RelationType) -> None:
    assert (one.gate is None) == (one.impact == "none")
    assert all(name in classes() for name in (*one.from_classes, *one.to_classes))


def test_a_named_group_of_providers_is_redundancy() -> None:
    assert relation_types()["depends_on"].grouped == Gate("at_least", need=1)
    assert relation_types()["runs_on"].grouped is None


def test_what_crosses_the_network_and_what_stands_where_its_provider_does() -> None:
    found = relation_types()
    assert (found["depends_on"].network, found["runs_on"].network, found["owned_by"].network) == (
        "crosses",
        "places",
        None,
    )


def test_what_passes_no_failure_crosses_nothing(tmp_path: Path) -> None:
    for value, impact in (("through", "to_from"), ("crosses", "none")):
        gate = "" if impact == "none" else 'gate = {kind = "all"}\n'
        path = tmp_path / f"{value}.toml"
        path.write_text(f'[feeds]\nreverse = "fed_by"\nimpact = "{impact}"\nnetwork = "{value}"\n{gate}')
        with pytest.raises(DefinitionError, match=r"feeds\.network: must be one of crosses, places"):
            relation_types(path)


def test_names_forward_and_back_are_all_different() -> None:
    names = [name for one in relation_types().values() for name in (one.name, one.reverse)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "impact", "gate"),
    [
        ("depends_on", "to_from", Gate("all")),
        ("runs_on", "to_from", Gate("all")),
        ("member_of", "from_to", Gate("at_least", need=1)),
        ("contains", "from_to", Gate("all")),
        ("powered_by", "to_from", Gate("at_least", need=1)),
        ("replicates_to", "none", None),
        ("installs", "none", None),
        ("located_in", "to_from", Gate("all")),
    ],
)
def test_failure_flows_as_the_model_says(name: str, impact: str, gate: Gate | None) -> None:
    assert (relation_types()[name].impact, relation_types()[name].gate) == (impact, gate)


@pytest.mark.parametrize("ci_class", classes().values(), ids=lambda one: one.name)
def test_a_components_relation_accepts_it(ci_class) -> None:  # type: ignore[no-untyped-def]
    if ci_class.containment is None:
        return
    one, found = relation_types()[ci_class.containment.relation], classes()
    allowed = one.from_classes if ci_class.containment.component == "from" else one.to_classes
    assert any(found[ci_class.name].is_a(name) for name in allowed)


def test_ends_allow_a_class_and_its_descendants() -> None:
    found, runs_on = classes(), relation_types()["runs_on"]
    assert runs_on.refuses(found["web_server"], found["linux_server"]) is None
    assert runs_on.refuses(found["linux_server"], found["linux_server"]) == (
        "runs_on: from must be application or workload or container, not linux_server"
    )
    assert "to must be" in str(runs_on.refuses(found["web_server"], found["person"]))


def test_users_add_types_from_a_file_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        '[cools]\nreverse = "cooled_by"\nimpact = "from_to"\n'
        'gate = { kind = "at_least", percent = 50, inclusive = true }\n'
    )
    assert relation_types(path)["cools"].gate == Gate("at_least", percent=50, inclusive=True)
    assert "depends_on" in relation_types(path) and "cools" not in relation_types()


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ('[x]\nreverse = "y"\nimpact = "sideways"', "x.impact"),
        ('[x]\nreverse = "y"\nimpact = "to_from"', "x.gate"),
        ('[x]\nreverse = "y"\nimpact = "none"\ngate = { kind = "all" }', "x.gate"),
        ('[x]\nimpact = "none"', "x.reverse"),
        ('[x]\nreverse = "y"\nimpact = "none"\ncolour = "red"', "x.colour"),
        ('[x]\nreverse = "y"\nimpact = "both"\ngate = { kind = "some" }', "x.gate"),
        ('[x]\nreverse = "y"\nimpact = "both"\ngate = { kind = "at_least" }', "x.gate"),
        (
            '[x]\nreverse = "y"\nimpact = "both"\ngate = { kind = "all" }\ngrouped = { kind = "all", k = 1 }',
            "x.grouped",
        ),
        ('[x]\nreverse = "y"\nimpact = "none"\ngrouped = { kind = "all" }', "x.gate"),
        ("x = 1", "x"),
        ('[depends_on]\nreverse = "y"\nimpact = "none"', "depends_on"),
        ("[x", "own.toml"),
    ],
)
def test_a_wrong_definition_names_file_and_key(tmp_path: Path, body: str, key: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(body)
    with pytest.raises(DefinitionError) as refusal:
        relation_types(path)
    assert str(path) in str(refusal.value) and f"{key}:" in str(refusal.value)
