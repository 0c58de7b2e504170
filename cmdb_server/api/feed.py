"""The change feed: what others follow the graph by."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from cmdb_server.answers.feed import KINDS, changes
from cmdb_server.api.asking import ListingSchema, cursor_of, opaque
from cmdb_server.api.auth import requires, seen
from cmdb_server.api.conditional import tagged
from cmdb_server.api.fields import Whole
from cmdb_server.api.resource import resource
from cmdb_server.api.timeline import CauseSchema

BLUEPRINT = resource("changes", __name__, "What changed since a revision")


class AskedSchema(ListingSchema):
    since = Whole(0, 2**53, query=True, load_default=0, metadata={"description": "A revision: what came after it"})


class KeptChangeSchema(Schema):
    """A version of something kept, such as a change."""

    kind = fields.String(required=True)
    number = fields.String(required=True)
    version = fields.Integer(required=True)
    transition = fields.String(required=True, metadata={"description": "open, edit, or one of its kind's"})
    state = fields.String(required=True)
    summary = fields.String(required=True)
    cis = fields.Dict(required=True, metadata={"description": "role -> ids"})


class ChangeSchema(Schema):
    revision = fields.Integer(required=True)
    kind = fields.String(required=True, metadata={"enum": list(KINDS)})
    id = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The CI's id, the relation's from, type and to, or a kept thing's number and version"},
    )
    deleted = fields.Boolean(required=True)
    cause = fields.Nested(CauseSchema, required=True)
    kept = fields.Nested(KeptChangeSchema, required=True, allow_none=True)


class ChangesSchema(Schema):
    items = fields.List(fields.Nested(ChangeSchema), required=True)
    next_cursor = fields.Function(
        lambda told: opaque(told.cursor), required=True, metadata={"type": ["string", "null"]}
    )
    revision = fields.Integer(required=True, metadata={"description": "The next `since`, once next_cursor is null"})


_CHANGES = ChangesSchema()
IF_NONE_MATCH = {"in": "header", "name": "If-None-Match", "schema": {"type": "string"}}


@BLUEPRINT.route("/changes")
@requires("read")
@BLUEPRINT.arguments(AskedSchema, location="query")
@BLUEPRINT.doc(parameters=[IF_NONE_MATCH], responses={304: {"description": "As you have it"}})
@BLUEPRINT.response(200, ChangesSchema)
def since(asked: dict[str, Any]) -> Response:
    """CIs, relations and kept things that changed after a revision, in order; 304 while nothing did."""
    told = changes(seen(), asked["since"], cursor_of(asked["cursor"]), asked["limit"])
    return tagged(_CHANGES.dump(told), told.revision)
