"""What breaks if these fail together."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate

from cmdb_server.answers.also import KINDS, Asked
from cmdb_server.answers.impact import ImpactAnswer, impact
from cmdb_server.api.auth import requires, viewer
from cmdb_server.api.context import context
from cmdb_server.api.fields import Instant, Whole, rfc3339
from cmdb_server.api.rendering import DrawnSchema, answered, described
from cmdb_server.api.resource import resource
from cmdb_server.api.spans import ServiceLevelSchema, SpanSchema, SpanToldSchema, timed
from cmdb_server.api.what_if import EditedSchema
from cmdb_server.errors import Invalid

BLUEPRINT = resource("impact", __name__, "What breaks, with the way it breaks and the gates that hold")
MOST = 1000


class QuestionSchema(DrawnSchema):
    failed = fields.List(fields.UUID(), required=True, validate=validate.Length(1, MOST))
    not_impacted = fields.List(
        fields.UUID(),
        load_default=list,
        validate=validate.Length(max=MOST),
        metadata={"description": "Held to stay up"},
    )
    at = Instant(load_default=None, allow_none=True)
    known_at = Instant(load_default=None, allow_none=True)
    depth = Whole(1, 1000, load_default=None, allow_none=True)
    limit = Whole(1, MOST, load_default=100, metadata={"description": "Listed of each kind; all are computed"})
    also = fields.String(
        load_default="none",
        validate=validate.OneOf(tuple(KINDS)),
        metadata={"description": "Booked changes and open outages as the answer's context"},
    )


class SupposingSchema(QuestionSchema, EditedSchema):
    """A question that may suppose things."""

    during = fields.Nested(
        SpanSchema, load_default=None, allow_none=True, metadata={"description": "When else is booked; left out: then"}
    )


class QuerySchema(QuestionSchema):
    """The same in a query string."""

    at = Instant(load_default=None)
    known_at = Instant(load_default=None)
    depth = Whole(1, 1000, query=True, load_default=None)
    limit = Whole(1, MOST, query=True, load_default=100)


class NamedSchema(Schema):
    id = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    class_ = fields.String(required=True, allow_none=True, data_key="class")


class GateSchema(Schema):
    """A gate with its arithmetic, in words too: 2 of 3 serving, needs 2."""

    relation = fields.String(required=True)
    over = fields.String(required=True, metadata={"description": "The group, or the class of its providers"})
    definition = fields.Dict(required=True)
    total = fields.Integer(required=True)
    lost = fields.Integer(required=True)
    limping = fields.Integer(required=True)
    need = fields.Integer(required=True)
    want = fields.Integer(required=True)
    margin = fields.Integer(required=True)
    under_provisioned = fields.Boolean(required=True)
    text = fields.String(required=True)


class StepSchema(Schema):
    ci = fields.Nested(NamedSchema, required=True)
    state = fields.String(required=True)
    gate = fields.Nested(GateSchema, required=True, allow_none=True)
    cut_off = fields.Boolean(required=True, metadata={"description": "No path to any of its gateways is left"})
    partitioned_from = fields.Nested(
        NamedSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The provider to which no way leads without the step before"},
    )


class AffectedSchema(Schema):
    ci = fields.Nested(NamedSchema, required=True)
    state = fields.String(required=True)
    hops = fields.Integer(required=True)
    path = fields.List(fields.Nested(StepSchema), required=True)


class AffectedServiceSchema(Schema):
    affected = fields.Nested(AffectedSchema, required=True)
    criticality = fields.Raw(required=True, allow_none=True)
    owner = fields.Raw(required=True, allow_none=True)
    level = fields.Nested(ServiceLevelSchema, required=True, allow_none=True)


class RedundancyLostSchema(Schema):
    ci = fields.Nested(NamedSchema, required=True)
    gate = fields.Nested(GateSchema, required=True)
    holding = fields.List(fields.Nested(NamedSchema), required=True)
    gone = fields.List(fields.Nested(NamedSchema), required=True)


class PartitionedSchema(Schema):
    consumer = fields.Nested(NamedSchema, required=True)
    provider = fields.Nested(NamedSchema, required=True)
    relation = fields.String(required=True)


class CertificateSchema(Schema):
    revision = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    excluded = fields.Integer(required=True)
    claims = fields.Integer(required=True)
    gates_held = fields.Integer(required=True)


class OtherSchema(Schema):
    """A booked change or an open outage."""

    number = fields.String(required=True)
    kind = fields.String(required=True)
    state = fields.String(required=True)
    summary = fields.String(required=True)
    degraded = fields.Boolean(required=True)
    spans = fields.List(fields.Nested(SpanToldSchema), required=True)
    cis = fields.List(fields.Nested(NamedSchema), required=True)


class MeetingSchema(Schema):
    """Down only of both together, by this gate; by its ways in the network where there is none."""

    ci = fields.Nested(NamedSchema, required=True)
    gate = fields.Nested(GateSchema, required=True, allow_none=True)
    with_ = fields.List(fields.String(), required=True, data_key="with")
    minimal_group = fields.Boolean(required=True, metadata={"description": "All of them are needed"})
    others_may_exist = fields.Boolean(required=True)


class ContextSchema(Schema):
    """Who is down of what else is booked or open (already), of mine alone, of either (anyway), of both together."""

    others = fields.List(fields.Nested(OtherSchema), required=True)
    already = fields.List(fields.Nested(NamedSchema), required=True)
    alone = fields.List(fields.Nested(NamedSchema), required=True)
    anyway = fields.List(fields.Nested(NamedSchema), required=True)
    together = fields.List(fields.Nested(NamedSchema), required=True)
    meeting_points = fields.List(fields.Nested(MeetingSchema), required=True)
    counts = fields.Dict(required=True)


class SupposedSchema(Schema):
    edit = fields.String(required=True)
    ci = fields.Nested(NamedSchema, required=True)
    relation = fields.String(required=True, allow_none=True)
    to = fields.Nested(NamedSchema, required=True, allow_none=True)
    gate = fields.Raw(required=True, allow_none=True)


class ImpactSchema(Schema):
    revision = fields.Integer(required=True)
    at = Instant(required=True, allow_none=True)
    known_at = Instant(required=True, allow_none=True)
    failed = fields.List(fields.Nested(NamedSchema), required=True)
    not_impacted = fields.List(fields.Nested(NamedSchema), required=True)
    services = fields.List(fields.Nested(AffectedServiceSchema), required=True)
    cis = fields.List(fields.Nested(AffectedSchema), required=True)
    redundancy_lost = fields.List(fields.Nested(RedundancyLostSchema), required=True)
    second_path_lost = fields.List(fields.Nested(NamedSchema), required=True)
    partitioned = fields.List(
        fields.Nested(PartitionedSchema),
        required=True,
        metadata={"description": "Whose ends lost the way to each other"},
    )
    gateway_unknown = fields.List(
        fields.Nested(NamedSchema), required=True, metadata={"description": "Who may be cut off; no gateway is known"}
    )
    uncertain = fields.List(fields.Nested(NamedSchema), required=True)
    scan_next = fields.List(fields.Nested(NamedSchema), required=True)
    counts = fields.Dict(required=True, metadata={"description": "All affected, by_state and by_class"})
    more = fields.Dict(required=True, metadata={"description": "How many of each kind are not listed"})
    certificate = fields.Nested(CertificateSchema, required=True)
    supposed = fields.List(fields.Nested(SupposedSchema), required=True, metadata={"description": "The edits"})
    context = fields.Nested(ContextSchema, required=True, allow_none=True)


@BLUEPRINT.route("/impact")
@requires("read")
@BLUEPRINT.arguments(QuerySchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, ImpactSchema)
@described(BLUEPRINT.doc)
def ask_shortly(asked: dict[str, Any]) -> Response:
    """What breaks if these fail together; a question that fits an address."""
    return _answer(asked)


@BLUEPRINT.route("/impact", methods=["POST"])
@requires("read")
@BLUEPRINT.arguments(SupposingSchema)
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, ImpactSchema)
@described(BLUEPRINT.doc)
def ask(asked: dict[str, Any]) -> Response:
    """What breaks if these fail together."""
    return _answer(asked)


def _answer(asked: dict[str, Any]) -> Response:
    answer = impact(
        context().projections, viewer(), _texts(asked["failed"]), asked["at"], asked["known_at"],
        _texts(asked["not_impacted"]), asked["depth"], asked["limit"], edits=asked.get("edits", ()),
        also=Asked(asked["also"], _during(asked.get("during"))),
    )  # fmt: skip
    return answered(lambda: answer, lambda: impact_told(answer), answer.revision, asked["format"], "impact")


def _during(told: dict[str, Any] | None) -> tuple[int, int | None] | None:
    if told is not None and told["end"] is not None and told["end"] <= told["start"]:
        text = "ends before it begins"
        raise Invalid(f"during: {text}", errors=[{"path": "during.end", "message": text}])
    return None if told is None else (told["start"], told["end"])


def impact_told(answer: ImpactAnswer) -> dict[str, Any]:
    """The schema above describes this; dumping through it would cost more than computing it."""
    times = {"at": answer.at, "known_at": answer.known_at}
    told: dict[str, Any] = timed(answer.as_json())
    return told | {name: None if value is None else rfc3339(value) for name, value in times.items()}


def _texts(ids: list[UUID]) -> list[str]:
    return [str(id_) for id_ in ids]
