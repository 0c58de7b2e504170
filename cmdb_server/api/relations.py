"""The relations of one CI, both ways."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from cmdb_server.answers import inventory
from cmdb_server.api.asking import TimesSchema
from cmdb_server.api.auth import requires, seen, viewer
from cmdb_server.api.ci_schemas import RelationViewSchema
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import now_ms
from cmdb_server.api.fields import Text
from cmdb_server.api.resource import resource

BLUEPRINT = resource("relations", __name__, "Relations between CIs")


class AskedSchema(TimesSchema):
    type = Text(metadata={"description": "Only those of this type"})


class RelationsSchema(Schema):
    items = fields.List(fields.Nested(RelationViewSchema), required=True)
    revision = fields.Integer(required=True)


@BLUEPRINT.route("/cis/<uuid:ci>/relations")
@requires("read")
@BLUEPRINT.arguments(AskedSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, RelationsSchema)
def of_ci(asked: dict[str, Any], ci: UUID) -> Response:
    """A CI's relations as seen from it."""
    revision = seen().revision()
    found = inventory.relations(seen(), viewer(), str(ci), asked["at"], asked["known_at"], now_ms=now_ms())
    items = [relation for relation in found if asked.get("type") in (None, relation.type)]
    return tagged(RelationsSchema().dump({"items": items, "revision": revision}), revision)
