"""Why a CI is there, and why it says what it says."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields

from cmdb_server.answers.explain import explain
from cmdb_server.answers.relation_explained import explain_relation
from cmdb_server.api.asking import TimesSchema
from cmdb_server.api.auth import requires, seen, viewer
from cmdb_server.api.ci_schemas import SourceSchema
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import now_ms
from cmdb_server.api.fields import Instant, Text
from cmdb_server.api.resource import resource

BLUEPRINT = resource("explain", __name__, "Where facts come from, and why they won")


class AskedSchema(TimesSchema):
    attribute = Text(load_default=None, metadata={"description": "Only this one"})


class WordSchema(Schema):
    value = fields.Raw(allow_none=True)
    record = fields.String(required=True)
    source = fields.String(required=True)
    agent = fields.String(required=True)
    section = fields.String(allow_none=True, metadata={"description": "The probe or table that told it"})
    since = Instant(required=True)
    confirmed = Instant(required=True)


class ExplainedAttributeSchema(Schema):
    name = fields.String(required=True)
    value = fields.Raw(allow_none=True)
    why = fields.String(required=True, metadata={"description": "pinned, only, precedence, newest or stale"})
    winner = fields.Nested(WordSchema, allow_none=True)
    losers = fields.List(fields.Nested(WordSchema))


class TiedSchema(Schema):
    records = fields.List(fields.String(), required=True)
    terms = fields.List(fields.Dict(), required=True)
    score = fields.Float(required=True)
    how = fields.String(
        required=True,
        metadata={"enum": ["evidence", "decision", "version", "place", "name"], "description": "By what it is held"},
    )
    decision = fields.String(allow_none=True, metadata={"description": "The decision of people that says so"})


class DecisionSchema(Schema):
    id = fields.String(required=True)
    verb = fields.String(required=True)
    by = fields.String(required=True)
    at = Instant(required=True)
    reason = fields.String(required=True)
    undoes = fields.String(required=True, allow_none=True)
    in_effect = fields.Boolean(required=True, metadata={"description": "Nobody undid it"})


class ExplanationSchema(Schema):
    ci = fields.UUID(required=True)
    class_ = fields.String(required=True, data_key="class")
    name = fields.String(required=True)
    sources = fields.List(fields.Nested(SourceSchema), required=True)
    ties = fields.List(
        fields.Nested(TiedSchema), required=True, metadata={"description": "What holds its records together"}
    )
    attributes = fields.List(fields.Nested(ExplainedAttributeSchema), required=True)
    decisions = fields.List(fields.Nested(DecisionSchema), required=True)


@BLUEPRINT.route("/cis/<uuid:ci>/explain")
@requires("read")
@BLUEPRINT.arguments(AskedSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, ExplanationSchema)
def of_ci(asked: dict[str, Any], ci: UUID) -> Response:
    """Every source's word on every attribute, which one won and why, and the evidence that tied the records."""
    revision = seen().revision()
    told = explain(seen(), viewer(), str(ci), **asked, now_ms=now_ms())
    return tagged(ExplanationSchema().dump(told), revision)


WHYS = ("claimed", "class", "application", "port", "ended", "elsewhere", "unclaimed")


class BearerSchema(Schema):
    ci = fields.UUID(required=True)
    class_ = fields.String(required=True, data_key="class")
    name = fields.String(required=True)
    since = Instant(required=True)
    until = Instant(required=True)
    chosen = fields.Boolean(required=True, metadata={"description": "None came nearer to when the claim was made"})


class ClaimSchema(Schema):
    record = fields.String(required=True)
    source = fields.String(required=True)
    agent = fields.String(required=True)
    section = fields.String(required=True, allow_none=True)
    near = fields.String(required=True, metadata={"description": "The CI that the claim is about"})
    far = fields.String(required=True, metadata={"description": "The other end as it was told"})
    to = fields.String(required=True, allow_none=True, metadata={"description": "The CI that it is held to be"})
    evidence = fields.String(required=True)
    confidence = fields.Float(required=True)
    transient = fields.Boolean(required=True)
    first = Instant(required=True)
    last = Instant(required=True)
    ended = Instant(required=True, allow_none=True)
    counts = fields.Boolean(required=True, metadata={"description": "It carries the relation"})
    bearers = fields.List(
        fields.Nested(BearerSchema), required=True, metadata={"description": "All who bear what it names, or did"}
    )


class ExplainedRelationSchema(Schema):
    from_ = fields.UUID(required=True, data_key="from")
    type = fields.String(required=True)
    to = fields.UUID(required=True)
    stands = fields.Boolean(required=True)
    why = fields.String(required=True, metadata={"enum": list(WHYS)})
    group = fields.String(required=True, allow_none=True)
    confidence = fields.Float(required=True, allow_none=True)
    since = Instant(required=True, allow_none=True)
    claims = fields.List(fields.Nested(ClaimSchema), required=True)
    others = fields.List(
        fields.Nested(ClaimSchema), required=True, metadata={"description": "Could mean it, and mean another or nobody"}
    )


class RelationAskedSchema(TimesSchema):
    from_ = fields.UUID(required=True, data_key="from")
    type = Text(required=True, metadata={"description": "Its name, or its reverse name"})
    to = fields.UUID(required=True)


@BLUEPRINT.route("/relations/explain")
@requires("read")
@BLUEPRINT.arguments(RelationAskedSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, ExplainedRelationSchema)
def of_relation(asked: dict[str, Any]) -> Response:
    """Why a relation is there: its claims, their evidence and how their ends were found. And why it is not: what ended,
    or is held to mean another."""
    revision = seen().revision()
    told = explain_relation(
        seen(), viewer(), str(asked["from_"]), asked["type"], str(asked["to"]), asked["at"], asked["known_at"],
        now_ms=now_ms(),
    )  # fmt: skip
    return tagged(ExplainedRelationSchema().dump(told), revision)
