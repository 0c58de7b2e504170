"""What takes a CI down alone, or in pairs"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from cmdb_server.answers.render.media import REPORTS
from cmdb_server.answers.single_points import single_points_of
from cmdb_server.api.about_ci import AboutCiSchema, answer_about
from cmdb_server.api.auth import requires
from cmdb_server.api.fields import Flag
from cmdb_server.api.impact import NamedSchema
from cmdb_server.api.rendering import ReportedSchema, described
from cmdb_server.api.resource import resource
from cmdb_server.api.what_if import AskedAboutSchema

BLUEPRINT = resource("single-points", __name__, "What takes a CI down alone, or in pairs")


class AskedSchema(AboutCiSchema, ReportedSchema):
    pairs = fields.Boolean(load_default=False, metadata={"description": "Fatal pairs too: seconds for 2,000 CIs below"})


class SupposingPointsSchema(AskedAboutSchema, ReportedSchema):
    pairs = Flag(load_default=False)


class FatalPairSchema(Schema):
    """Any of one with any of the other."""

    one = fields.List(fields.Nested(NamedSchema), required=True)
    other = fields.List(fields.Nested(NamedSchema), required=True)
    one_more = fields.Integer(required=True)
    other_more = fields.Integer(required=True)


class SinglePointsSchema(Schema):
    revision = fields.Integer(required=True)
    ci = fields.Nested(NamedSchema, required=True)
    below = fields.Integer(required=True)
    items = fields.List(fields.Nested(NamedSchema), required=True)
    more = fields.Integer(required=True)
    pairs = fields.List(fields.Nested(FatalPairSchema), required=True, allow_none=True)
    pairs_more = fields.Integer(required=True)
    pairs_complete = fields.Boolean(required=True)


@BLUEPRINT.route("/cis/<uuid:ci>/single-points")
@requires("read")
@BLUEPRINT.arguments(AskedSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, SinglePointsSchema)
@described(BLUEPRINT.doc, REPORTS)
def of_ci(asked: dict[str, Any], ci: UUID) -> Response:
    """The CIs whose failure alone takes this one down, exact through gates."""
    return _answer(ci, asked)


@BLUEPRINT.route("/cis/<uuid:ci>/single-points", methods=["POST"])
@requires("read")
@BLUEPRINT.arguments(SupposingPointsSchema)
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, SinglePointsSchema)
@described(BLUEPRINT.doc, REPORTS)
def as_it_would_be(asked: dict[str, Any], ci: UUID) -> Response:
    """The same, if some relations, gates and CIs were otherwise."""
    return _answer(ci, asked)


def _answer(ci: UUID, asked: dict[str, Any]) -> Response:
    more = {"pairs": asked["pairs"], "edits": asked.get("edits", ())}
    return answer_about(single_points_of, ci, asked, "single-points", REPORTS, **more)
