"""The forward schedule"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from cmdb_server.answers import schedule as answers
from cmdb_server.answers.render.media import CALENDARS, REPORTS
from cmdb_server.answers.told import plain
from cmdb_server.api.auth import requires, viewer
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Instant, Text, Whole, rfc3339
from cmdb_server.api.impact import NamedSchema
from cmdb_server.api.rendering import answered, described
from cmdb_server.api.resource import resource
from cmdb_server.api.spans import SpanToldSchema, timed

BLUEPRINT = resource("schedule", __name__, "Changes, outages and freezes to come, with the services they touch")
FORMATS = (*REPORTS, *CALENDARS)
DAYS_MS = 30 * 86_400_000


class ForwardSchema(Schema):
    from_ = Instant(data_key="from", load_default=None, metadata={"description": "Left out: now"})
    to = Instant(load_default=None, metadata={"description": "Left out: 30 days later; at most two years"})
    service = fields.UUID(load_default=None, metadata={"description": "What touches anything that this CI stands on"})
    owner = Text(load_default=None, metadata={"description": "What touches a service of this owner"})
    kind = fields.List(
        fields.String(validate=validate.OneOf(answers.KINDS)), load_default=list, metadata={"description": "None: all"}
    )
    limit = Whole(1, 1000, query=True, load_default=100)
    format = fields.String(load_default=None, validate=validate.OneOf(("json", *FORMATS)))


class TouchedSchema(Schema):
    ci = fields.Nested(NamedSchema, required=True)
    owner = fields.Raw(required=True, allow_none=True)
    state = fields.String(required=True, metadata={"description": "Meanwhile: up, degraded or down"})


class ScheduledSchema(Schema):
    number = fields.String(required=True)
    kind = fields.String(required=True, metadata={"enum": list(answers.KINDS)})
    type = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)
    summary = fields.String(required=True)
    subject = fields.String(required=True)
    version = fields.Integer(required=True)
    changed_at = Instant(required=True)
    effect = fields.String(required=True, metadata={"description": "On what it touches: full, degraded or none"})
    spans = fields.List(fields.Nested(SpanToldSchema), required=True)
    cis = fields.List(fields.Nested(NamedSchema), required=True)
    services = fields.List(fields.Nested(TouchedSchema), required=True)
    more = fields.Dict(required=True, metadata={"description": "How many of each are not listed"})


class ScheduleSchema(Schema):
    revision = fields.Integer(required=True)
    start = Instant(required=True)
    end = Instant(required=True)
    service = fields.Nested(NamedSchema, required=True, allow_none=True)
    owner = fields.String(required=True, allow_none=True)
    items = fields.List(fields.Nested(ScheduledSchema), required=True)
    more = fields.Integer(required=True)


@BLUEPRINT.route("/schedule")
@requires("read")
@BLUEPRINT.arguments(ForwardSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, ScheduleSchema)
@described(BLUEPRINT.doc, FORMATS)
def forward(asked: dict[str, Any]) -> Response:
    """What is booked, open or in force within a time, by its first moment, and the services that stand on it."""
    start = now_ms() if asked["from_"] is None else asked["from_"]
    within = start, start + DAYS_MS if asked["to"] is None else asked["to"]
    service = None if asked["service"] is None else str(asked["service"])
    answer = answers.schedule(
        context().projections, viewer(), within, service, asked["owner"], asked["kind"] or answers.KINDS, asked["limit"]
    )
    return answered(lambda: answer, lambda: _json(answer), answer.revision, asked["format"], "schedule", FORMATS)


def _json(answer: answers.ScheduleAnswer) -> dict[str, Any]:
    told: dict[str, Any] = timed(plain(asdict(answer)))
    for item in told["items"]:
        item["changed_at"] = rfc3339(item["changed_at"])
    return told
