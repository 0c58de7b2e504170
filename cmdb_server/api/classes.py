"""Which classes of CI and which types of relation there are."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from cmdb_schemas.ci_class import CIClass
from cmdb_schemas.shapes import attribute_shape
from cmdb_server.api.auth import requires
from cmdb_server.api.context import context
from cmdb_server.api.resource import resource
from cmdb_server.errors import NotFound

BLUEPRINT = resource("classes", __name__, "The classes of CIs and the types of relations between them")


class ClassAttributeSchema(Schema):
    name = fields.String(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    unit = fields.String(allow_none=True)
    target = fields.String(allow_none=True, metadata={"description": "The class a reference names"})
    many = fields.Boolean()
    choices = fields.List(fields.Raw())
    schema = fields.Function(
        attribute_shape, metadata={"type": "object", "description": "JSON schema of a value, as entries are held to it"}
    )


class LifeSchema(Schema):
    ageing_ms = fields.Integer()
    missing_ms = fields.Integer()
    retired_ms = fields.Integer()


class ClassSchema(Schema):
    name = fields.String(required=True)
    title = fields.String(required=True)
    parent = fields.String(allow_none=True)
    ancestors = fields.List(fields.String())
    identity = fields.String(required=True)
    discovered = fields.Boolean(required=True)
    life = fields.Nested(LifeSchema, allow_none=True)
    attributes = fields.Function(
        lambda kind: ClassAttributeSchema(many=True).dump(kind.attributes.values()),
        metadata={"type": "array", "items": {"type": "object"}},
    )


class DefaultGateSchema(Schema):
    kind = fields.String(required=True)
    need = fields.Integer(allow_none=True)
    percent = fields.Integer(allow_none=True)
    inclusive = fields.Boolean()


class RelationTypeSchema(Schema):
    name = fields.String(required=True)
    title = fields.String(required=True)
    reverse = fields.String(required=True)
    impact = fields.String(required=True, metadata={"description": "from_to, to_from, both or none: how failure flows"})
    gate = fields.Nested(DefaultGateSchema, allow_none=True)
    from_classes = fields.List(fields.String())
    to_classes = fields.List(fields.String())


@BLUEPRINT.route("/classes")
@requires("read")
@BLUEPRINT.response(200, ClassSchema(many=True))
def every_class() -> list[CIClass]:
    """All classes, shipped and added."""
    return sorted(context().kinds.values(), key=lambda kind: kind.name)


@BLUEPRINT.route("/classes/<string:name>")
@requires("read")
@BLUEPRINT.response(200, ClassSchema)
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
def one_class(name: str) -> CIClass:
    """One class with its own and inherited attributes."""
    if (found := context().kinds.get(name)) is None:
        raise NotFound(f"there is no class {name!r}")
    return found


@BLUEPRINT.route("/relation-types")
@requires("read")
@BLUEPRINT.response(200, RelationTypeSchema(many=True))
def every_relation_type() -> list[Any]:
    """All types of relation, with the way failure flows along them."""
    return sorted(context().relation_types.values(), key=lambda kind: kind.name)
