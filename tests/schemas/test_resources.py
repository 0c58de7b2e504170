"""The schemas that people's entries pass are derived from the classes and judge as ``check_value`` does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from marshmallow import ValidationError

from cmdb_schemas.attribute import Attribute
from cmdb_schemas.ci_class import classes
from cmdb_schemas.resources import attribute_shape, schema_for

CASES = sorted((Path(__file__).parents[1] / "cases/classes").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    schema, case = schema_for(classes()[path.stem])(), json.loads(path.read_text(encoding="utf-8"))
    assert schema.load(case["valid"]) == case["valid"]
    for wrong in case["invalid"]:
        with pytest.raises(ValidationError) as refusal:
            schema.load(wrong["attributes"])
        assert list(refusal.value.normalized_messages()) == [wrong["refused"]]


def test_dotted_names_stay_flat_and_none_takes_a_value_away() -> None:
    schema = schema_for(classes()["computer"])()
    assert schema.load({"host.arch": "arm64", "host.id": None}) == {"host.arch": "arm64", "host.id": None}


def test_one_schema_a_class() -> None:
    assert schema_for(classes()["switch"]) is schema_for(classes()["switch"])
    assert schema_for(classes()["switch"]).__name__ == "SwitchAttributes"


def test_shapes_for_documentation() -> None:
    assert attribute_shape(Attribute("ports", "integer", "Ports", many=True)) == {
        "type": "array",
        "items": {"type": "integer"},
        "title": "Ports",
    }
    assert attribute_shape(Attribute("d", "string", "D", choices=("a", "b")))["enum"] == ["a", "b"]
