"""What happened to one CI: by whom, when it held, when it was recorded."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate

from cmdb_server.answers.past_state import past_of
from cmdb_server.answers.timeline import KINDS, timeline
from cmdb_server.api.asking import PageSchema, cursor_of, opaque
from cmdb_server.api.auth import requires, seen, viewer
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import now_ms
from cmdb_server.api.fields import Instant
from cmdb_server.api.resource import resource
from cmdb_server.store.port import Reading

BLUEPRINT = resource("timeline", __name__, "The past of one CI")


class AskedSchema(PageSchema):
    kind = fields.List(
        fields.String(validate=validate.OneOf(KINDS)), load_default=list, validate=validate.Length(max=len(KINDS))
    )


class CauseSchema(Schema):
    revision = fields.Integer(required=True)
    recorded_at = Instant(allow_none=True)
    source = fields.String(required=True)
    agent = fields.String(required=True)
    subject = fields.String(required=True, metadata={"description": "The person who entered or decided"})
    report = fields.String(allow_none=True)
    decision = fields.String(allow_none=True)
    reason = fields.String(required=True)


class TimelineEntrySchema(Schema):
    kind = fields.String(required=True, metadata={"enum": list(KINDS)})
    name = fields.String(
        required=True, metadata={"description": "The attribute, relation type, verb, event; seen, gone, joined or left"}
    )
    record = fields.String(required=True)
    at = Instant(required=True, metadata={"description": "Since when it holds"})
    revision = fields.Integer(required=True)
    value = fields.Raw(allow_none=True)
    before = fields.Raw(allow_none=True)
    cause = fields.Nested(CauseSchema, required=True)


class TimelineSchema(Schema):
    ci = fields.UUID(required=True)
    items = fields.List(fields.Nested(TimelineEntrySchema), required=True, attribute="entries")
    next_cursor = fields.Function(
        lambda told: opaque(told.cursor), required=True, metadata={"type": ["string", "null"]}
    )
    revision = fields.Integer(required=True)


_TIMELINE = TimelineSchema()


@BLUEPRINT.route("/cis/<uuid:ci>/timeline")
@requires("read")
@BLUEPRINT.arguments(AskedSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, TimelineSchema)
def of_ci(asked: dict[str, Any], ci: UUID) -> Response:
    """All that is known to have happened to a CI, what was recorded last first; of a past time what had until then."""

    def then(tx: Reading) -> Reading:
        return past_of(tx, viewer(), asked["at"], asked["known_at"], now_ms()).tx

    told = timeline(seen(), str(ci), asked["kind"], cursor_of(asked["cursor"]), asked["limit"], then)
    return tagged(_TIMELINE.dump(told), told.revision)
