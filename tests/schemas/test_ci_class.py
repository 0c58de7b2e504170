"""CI classes: what each accepts, told by its case; what is inherited; and what is said of a definition that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cmdb_schemas.ci_class import CIClass, Containment, check_value, classes
from cmdb_schemas.errors import DefinitionError
from cmdb_schemas.relations import relation_types

CASES = sorted((Path(__file__).parents[1] / "cases/classes").glob("*.json"))
ROOT_FILE = 'title = "Item"\nidentity = "evidence"\nfamily = "default"\n'


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    ci_class, case = classes()[path.stem], json.loads(path.read_text(encoding="utf-8"))
    assert refused(ci_class, case["valid"]) == []
    for wrong in case["invalid"]:
        assert refused(ci_class, wrong["attributes"]) == [wrong["refused"]]


def refused(ci_class: CIClass, attributes: dict[str, Any]) -> list[str]:
    """The names of the attributes that are undeclared or do not fit."""
    declared = {name: ci_class.attribute(name) for name in attributes}
    return [name for name, one in declared.items() if one is None or check_value(one, attributes[name])]


@pytest.mark.parametrize("ci_class", classes().values(), ids=lambda ci_class: ci_class.name)
def test_shipped_classes_are_whole(ci_class: CIClass) -> None:
    assert (ci_class.life is None) == (not ci_class.discovered)
    assert (ci_class.key in ci_class.attributes) == (ci_class.identity == "key")
    if ci_class.containment is not None:
        assert ci_class.containment.relation in relation_types()
    if ci_class.parent is not None:
        parent = classes()[ci_class.parent]
        assert ci_class.ancestors == (parent.name, *parent.ancestors)
        assert parent.attributes.items() <= ci_class.attributes.items()


def test_inheritance() -> None:
    found = classes()
    assert found["linux_server"].ancestors == ("server", "computer", "hardware", "ci")
    assert found["linux_server"].is_a("computer") and not found["linux_server"].is_a("network_device")
    assert found["database_instance"].containment == Containment("runs_on", "from")
    assert found["disk"].containment == Containment("contains", "to")
    assert found["switch"].family == "network_device" and found["linux_server"].family == "computer"
    assert not found["rack"].discovered and found["rack"].life is None
    assert found["virtual_machine"].attribute("serial_number") is not None
    assert found["virtual_machine"].attribute("replication_role") is None


def test_users_add_classes_from_a_folder_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "mainframe.toml").write_text(
        'title = "Mainframe"\nparent = "computer"\nlife = { ageing = "P1D", missing = "P3W", retired = "P52W" }\n'
        'gates = { powered_by = { kind = "at_least", k = 2 } }\n[attributes]\nlpars = { type = "integer", title = "Partitions" }\n'
    )
    mainframe = classes(tmp_path)["mainframe"]
    assert mainframe.attribute("lpars") and mainframe.attribute("os_name") and mainframe.is_a("hardware")
    assert mainframe.life is not None and mainframe.life.missing_ms == 21 * 86_400_000
    assert mainframe.gates == {"powered_by": {"kind": "at_least", "k": 2}}
    assert "mainframe" not in classes()


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ('title = "X"\nparent = "nothing"', "parent"),
        ('title = "X"', "parent"),
        ('parent = "ci"', "title"),
        ('title = "X"\nparent = "x"', "parent"),
        ('title = "X"\nparent = "ci"\nidentity = "guess"', "identity"),
        ('title = "X"\nparent = "ci"\nidentity = "key"', "key"),
        ('title = "X"\nparent = "ci"\nidentity = "key"\nkey = "nothing"', "key"),
        ('title = "X"\nparent = "ci"\nkey = "name"', "key"),
        ('title = "X"\nparent = "ci"\nidentity = "component"', "containment"),
        ('title = "X"\nparent = "ci"\nidentity = "component"\ncontainment = { relation = "contains" }', "containment"),
        ('title = "X"\nparent = "ci"\ncontainment = { relation = "contains", component = "to" }', "containment"),
        ('title = "X"\nparent = "ci"\nlife = { ageing = "P1D" }', "life"),
        ('title = "X"\nparent = "ci"\nlife = { ageing = "1 day", missing = "P2D", retired = "P3D" }', "life.ageing"),
        ('title = "X"\nparent = "ci"\nlife = { ageing = "P3D", missing = "P2D", retired = "P9D" }', "life"),
        ('title = "X"\nparent = "rack"\nidentity = "evidence"', "life"),
        ('title = "X"\nparent = "ci"\nattributes = 1', "attributes"),
        ('title = "X"\nparent = "ci"\ngates = { kind = "all" }', "gates"),
        ('title = "X"\nparent = "ci"\ngates = { depends_on = { kind = "some" } }', "gates"),
        ('title = "X"\nparent = "ci"\ncolour = "red"', "colour"),
        ('title = "X"\nparent = "ci"\n[attributes]\na = 1', "attributes.a"),
        ('title = "X"\nparent = "ci"\n[attributes]\na = { type = "float", title = "A" }', "attributes.a.type"),
        ('title = "X"\nparent = "ci"\n[attributes]\na = { type = "string" }', "attributes.a.title"),
        ('title = "X"\nparent = "ci"\n[attributes]\na = { type = "quantity", title = "A" }', "attributes.a.unit"),
        (
            'title = "X"\nparent = "ci"\n[attributes]\na = { type = "string", title = "A", unit = "W" }',
            "attributes.a.unit",
        ),
        ('title = "X"\nparent = "ci"\n[attributes]\na = { type = "reference", title = "A" }', "attributes.a.target"),
        (
            'title = "X"\nparent = "ci"\n[attributes]\na = { type = "reference", title = "A", target = "y" }',
            "attributes.a.target",
        ),
        (
            'title = "X"\nparent = "ci"\n[attributes]\na = { type = "string", title = "A", size = 3 }',
            "attributes.a.size",
        ),
        ('title = "X"\nparent = ', "x.toml"),
    ],
)
def test_a_wrong_definition_names_file_and_key(tmp_path: Path, body: str, key: str) -> None:
    (tmp_path / "x.toml").write_text(body)
    with pytest.raises(DefinitionError) as refusal:
        classes(tmp_path)
    assert str(tmp_path / "x.toml") in str(refusal.value)
    assert f"{key}:" in str(refusal.value)


def test_a_circle_of_parents_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('title = "A"\nparent = "b"')
    (tmp_path / "b.toml").write_text('title = "B"\nparent = "a"')
    with pytest.raises(DefinitionError, match="descends from"):
        classes(tmp_path)


def test_a_class_is_defined_once(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text('title = "Another server"\nparent = "ci"')
    with pytest.raises(DefinitionError, match="class server is already defined"):
        classes(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="no such folder"):
        classes(tmp_path / "nowhere")
