"""What breaks from when to when"""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from cmdb_server.answers.also import KINDS
from cmdb_server.answers.intervals import Booked, Expected, intervals
from cmdb_server.answers.render.media import REPORTS
from cmdb_server.api.auth import requires, viewer
from cmdb_server.api.context import context
from cmdb_server.api.fields import Instant, Whole
from cmdb_server.api.impact import MOST, NamedSchema, OtherSchema
from cmdb_server.api.rendering import ReportedSchema, answered, described
from cmdb_server.api.resource import resource
from cmdb_server.api.spans import ServiceLevelSchema, SpanSchema, SpanToldSchema, timed
from cmdb_server.api.what_if import EditedSchema

MOST_FAILURES, MOST_OF_ONE = 500, 100
"""Failures in one question; CIs, spans and expectations."""
BLUEPRINT = resource("intervals", __name__, "What breaks from when to when, while failures begin and end")


class BookedSchema(Schema):
    cis = fields.List(fields.UUID(), required=True, validate=validate.Length(1, MOST_OF_ONE))
    spans = fields.List(fields.Nested(SpanSchema), required=True, validate=validate.Length(1, MOST_OF_ONE))


class ExpectedSchema(EditedSchema):
    """What the graph is expected to be otherwise from then on."""

    at = Instant(required=True)


class OverTimeSchema(SpanSchema, ReportedSchema):
    failures = fields.List(fields.Nested(BookedSchema), required=True, validate=validate.Length(1, MOST_FAILURES))
    expected = fields.List(fields.Nested(ExpectedSchema), load_default=list, validate=validate.Length(max=MOST_OF_ONE))
    not_impacted = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=MOST))
    at = Instant(load_default=None, allow_none=True)
    known_at = Instant(load_default=None, allow_none=True)
    limit = Whole(1, MOST, load_default=100, metadata={"description": "Listed of each kind; all are computed"})
    also = fields.String(
        load_default="none",
        validate=validate.OneOf(tuple(KINDS)),
        metadata={"description": "What else fails then: booked changes, open outages, or both"},
    )


class AffectedOverTimeSchema(Schema):
    ci = fields.Nested(NamedSchema, required=True)
    down = fields.List(fields.Nested(SpanToldSchema), required=True)
    degraded = fields.List(fields.Nested(SpanToldSchema), required=True)
    down_ms = fields.Integer(required=True, allow_none=True)
    degraded_ms = fields.Integer(required=True, allow_none=True)
    anyway = fields.List(
        fields.Nested(SpanToldSchema),
        required=True,
        metadata={"description": "When it would be down of what else is booked or open alone"},
    )


class ServiceOverTimeSchema(Schema):
    affected = fields.Nested(AffectedOverTimeSchema, required=True)
    criticality = fields.Raw(required=True, allow_none=True)
    owner = fields.Raw(required=True, allow_none=True)
    level = fields.Nested(ServiceLevelSchema, required=True, allow_none=True)


class PieceSchema(SpanToldSchema):
    """A time in which nothing changes."""

    failed = fields.List(fields.Nested(NamedSchema), required=True)
    by_state = fields.Dict(required=True)


class IntervalsSchema(SpanToldSchema):
    revision = fields.Integer(required=True)
    services = fields.List(fields.Nested(ServiceOverTimeSchema), required=True)
    cis = fields.List(fields.Nested(AffectedOverTimeSchema), required=True)
    pieces = fields.List(fields.Nested(PieceSchema), required=True)
    more = fields.Dict(required=True, metadata={"description": "How many of each kind are not listed"})
    others = fields.List(fields.Nested(OtherSchema), required=True)


@BLUEPRINT.route("/impact/intervals", methods=["POST"])
@requires("read")
@BLUEPRINT.arguments(OverTimeSchema)
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, IntervalsSchema)
@described(BLUEPRINT.doc, REPORTS)
def ask(asked: dict[str, Any]) -> Response:
    """Who is down or degraded from when to when, while failures begin and end."""
    failures = [Booked(_texts(one["cis"]), tuple(map(_span, one["spans"]))) for one in asked["failures"]]
    expected = [Expected(one["at"], tuple(one["edits"])) for one in asked["expected"]]
    answer = intervals(
        context().projections, viewer(), _span(asked), failures, expected, _texts(asked["not_impacted"]),
        asked["at"], asked["known_at"], asked["limit"], also=asked["also"],
    )  # fmt: skip
    return answered(
        lambda: answer, lambda: timed(answer.as_json()), answer.revision, asked["format"], "intervals", REPORTS
    )


def _span(told: dict[str, Any]) -> tuple[int, int | None]:
    return told["start"], told["end"]


def _texts(ids: Any) -> tuple[str, ...]:
    return tuple(str(id_) for id_ in ids)
