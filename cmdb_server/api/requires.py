"""What a CI stands on"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from cmdb_server.answers import requires as answers
from cmdb_server.api.about_ci import AboutCiSchema, answer_about
from cmdb_server.api.auth import requires
from cmdb_server.api.impact import NamedSchema
from cmdb_server.api.rendering import DrawnSchema, described
from cmdb_server.api.resource import resource
from cmdb_server.api.what_if import AskedAboutSchema

BLUEPRINT = resource("requires", __name__, "What a CI stands on")


class AskedSchema(AboutCiSchema, DrawnSchema):
    pass


class SupposingRequirementsSchema(AskedAboutSchema, DrawnSchema):
    pass


class RequiredSchema(Schema):
    ci = fields.Nested(NamedSchema, required=True)
    hops = fields.Integer(required=True)
    cannot_start_cold = fields.Boolean(required=True)


class LeaningSchema(Schema):
    consumer = fields.String(required=True)
    provider = fields.String(required=True)
    relation = fields.String(required=True)
    text = fields.String(required=True, metadata={"description": "The gate's arithmetic while all is well"})


class RequiresSchema(Schema):
    revision = fields.Integer(required=True)
    ci = fields.Nested(NamedSchema, required=True)
    items = fields.List(fields.Nested(RequiredSchema), required=True)
    more = fields.Integer(required=True)
    stuck = fields.Integer(required=True, metadata={"description": "How many need one another to start"})
    leanings = fields.List(
        fields.Nested(LeaningSchema), required=True, metadata={"description": "Who of those listed stands on whom"}
    )


@BLUEPRINT.route("/cis/<uuid:ci>/requires")
@requires("read")
@BLUEPRINT.arguments(AskedSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, RequiresSchema)
@described(BLUEPRINT.doc)
def of_ci(asked: dict[str, Any], ci: UUID) -> Response:
    """All that a CI stands on, nearest first."""
    return _answer(ci, asked)


@BLUEPRINT.route("/cis/<uuid:ci>/requires", methods=["POST"])
@requires("read")
@BLUEPRINT.arguments(SupposingRequirementsSchema)
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, RequiresSchema)
@described(BLUEPRINT.doc)
def as_it_would_be(asked: dict[str, Any], ci: UUID) -> Response:
    """All that a CI would stand on if some relations, gates and CIs were otherwise."""
    return _answer(ci, asked)


def _answer(ci: UUID, asked: dict[str, Any]) -> Response:
    return answer_about(answers.requires, ci, asked, "requires", edits=asked.get("edits", ()))
