"""The shapes told of attributes are JSON schemas of what they take."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from cmdb_schemas.attribute import Attribute
from cmdb_schemas.ci_class import classes
from cmdb_schemas.shapes import attribute_shape

CASES = sorted((Path(__file__).parents[1] / "cases/classes").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_a_class_takes_has_its_attributes_shapes(path: Path) -> None:
    class_, case = classes()[path.stem], json.loads(path.read_text(encoding="utf-8"))
    for name, value in case["valid"].items():
        jsonschema_rs.validate(attribute_shape(class_.attributes[name]), value)


def test_shapes_for_documentation() -> None:
    assert attribute_shape(Attribute("ports", "integer", "Ports", many=True)) == {
        "type": "array",
        "items": {"type": "integer"},
        "title": "Ports",
    }
    assert attribute_shape(Attribute("d", "string", "D", choices=("a", "b")))["enum"] == ["a", "b"]
