"""What an attribute's value looks like, for whoever enters one."""

from __future__ import annotations

from typing import Any

from cmdb_schemas.attribute import Attribute

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


def attribute_shape(attribute: Attribute) -> dict[str, Any]:
    """The attribute's value as JSON schema."""
    shape = dict(_SHAPES[attribute.type])
    if attribute.choices:
        shape["enum"] = list(attribute.choices)
    if attribute.many:
        shape = {"type": "array", "items": shape}
    return {**shape, "title": attribute.title}
