"""The services that stand on a CI"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from cmdb_server.answers.services import services_of
from cmdb_server.api.about_ci import AboutCiSchema, answer_about
from cmdb_server.api.auth import requires
from cmdb_server.api.impact import NamedSchema, StepSchema
from cmdb_server.api.rendering import DrawnSchema, described
from cmdb_server.api.resource import resource

BLUEPRINT = resource("services", __name__, "The services that stand on a CI")


class AskedSchema(AboutCiSchema, DrawnSchema):
    pass


class ServiceOfCiSchema(Schema):
    ci = fields.Nested(NamedSchema, required=True)
    hops = fields.Integer(required=True)
    criticality = fields.Raw(required=True, allow_none=True)
    owner = fields.Raw(required=True, allow_none=True)
    path = fields.List(fields.Nested(StepSchema), required=True, metadata={"description": "A shortest way to it"})


class ServicesSchema(Schema):
    revision = fields.Integer(required=True)
    ci = fields.Nested(NamedSchema, required=True)
    items = fields.List(fields.Nested(ServiceOfCiSchema), required=True)
    more = fields.Integer(required=True)


@BLUEPRINT.route("/cis/<uuid:ci>/services")
@requires("read")
@BLUEPRINT.arguments(AskedSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, ServicesSchema)
@described(BLUEPRINT.doc)
def of_ci(asked: dict[str, Any], ci: UUID) -> Response:
    """All services above a CI, nearest first."""
    return answer_about(services_of, ci, asked, "services")
