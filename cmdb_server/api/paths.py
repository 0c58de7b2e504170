"""How one failure can reach another CI"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response
from marshmallow import Schema, fields

from cmdb_server.answers.paths import path
from cmdb_server.answers.told import plain
from cmdb_server.api.asking import TimesSchema
from cmdb_server.api.auth import requires, viewer
from cmdb_server.api.context import context
from cmdb_server.api.impact import NamedSchema, StepSchema
from cmdb_server.api.rendering import DrawnSchema, answered, described
from cmdb_server.api.resource import resource

BLUEPRINT = resource("paths", __name__, "How one failure can reach another CI")


class AskedSchema(TimesSchema, DrawnSchema):
    from_ = fields.UUID(required=True, data_key="from", metadata={"description": "The provider"})
    to = fields.UUID(required=True, metadata={"description": "The consumer"})


class PathSchema(Schema):
    revision = fields.Integer(required=True)
    from_ = fields.Nested(NamedSchema, required=True, data_key="from")
    to = fields.Nested(NamedSchema, required=True)
    steps = fields.List(fields.Nested(StepSchema), required=True, metadata={"description": "None: there is no way"})


@BLUEPRINT.route("/paths")
@requires("read")
@BLUEPRINT.arguments(AskedSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, PathSchema)
@described(BLUEPRINT.doc)
def between(asked: dict[str, Any]) -> Response:
    """The shortest way from a provider to a consumer, over gates that may hold."""
    answer = path(
        context().projections, viewer(), str(asked["from_"]), str(asked["to"]), asked["at"], asked["known_at"]
    )
    return answered(lambda: answer, lambda: plain(asdict(answer)), answer.revision, asked["format"], "path")
