"""Marshmallow schemas of what people enter, derived from the CI classes."""

from __future__ import annotations

from functools import cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load

from cmdb_schemas.attribute import Attribute, check_value
from cmdb_schemas.ci_class import CIClass

_SHAPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date-time", "description": "a date or a time with its offset"},
    "duration": {"type": "string", "format": "duration"},
    "quantity": {
        "type": "object",
        "properties": {"value": {"type": "number"}, "unit": {"type": "string"}},
        "required": ["value", "unit"],
        "additionalProperties": False,
    },
    "money": {
        "type": "object",
        "properties": {"amount": {"type": "integer"}, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
        "required": ["amount", "currency"],
        "additionalProperties": False,
    },
    "uri": {"type": "string", "format": "uri"},
    "ip_address": {"type": "string", "description": "an IP address, with its prefix length where that is known"},
    "mac_address": {"type": "string", "description": "a MAC address"},
    "reference": {"type": "string"},
    "gate": {
        "type": "object",
        "description": "when it is down for want of providers: a gate, or gates by relation type",
    },
}


_DOT = "\N{ONE DOT LEADER}"
"""Stands for the dot of OpenTelemetry's names while marshmallow handles them: it takes a dot for a path."""


class AttributeField(fields.Field[Any]):
    """A value that ``check_value`` accepts; ``None`` takes the value away."""

    def __init__(self, declared: Attribute) -> None:
        name = declared.name.replace(".", _DOT)
        super().__init__(allow_none=True, attribute=name, metadata=attribute_shape(declared))
        self.declared = declared

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if problem := check_value(self.declared, value):
            raise ValidationError(problem)
        return value


class AttributesSchema(Schema):
    """Attributes by name; undeclared ones are refused."""

    class Meta:
        unknown = RAISE

    @post_load
    def _names(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name.replace(_DOT, "."): value for name, value in data.items()}


def attribute_shape(attribute: Attribute) -> dict[str, Any]:
    """The attribute's value as JSON schema."""
    shape = dict(_SHAPES[attribute.type])
    if attribute.choices:
        shape["enum"] = list(attribute.choices)
    if attribute.many:
        shape = {"type": "array", "items": shape}
    return {**shape, "title": attribute.title}


@cache
def schema_for(ci_class: CIClass) -> type[Schema]:
    """The schema of the attributes that people may enter for a CI of this class; it refuses undeclared ones."""
    declared: dict[str, Any] = {name: AttributeField(attribute) for name, attribute in ci_class.attributes.items()}
    title = "".join(word.capitalize() for word in ci_class.name.split("_"))
    return AttributesSchema.from_dict(declared, name=f"{title}Attributes")
