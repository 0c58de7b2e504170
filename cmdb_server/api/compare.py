"""Two answers to one question of impact, compared"""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from cmdb_server.answers.compare import CHANGES, Side, compare
from cmdb_server.answers.render.media import REPORTS
from cmdb_server.api.auth import requires, viewer
from cmdb_server.api.context import context
from cmdb_server.api.fields import Instant, Whole, rfc3339
from cmdb_server.api.impact import MOST, GateSchema, NamedSchema, SupposedSchema
from cmdb_server.api.rendering import ReportedSchema, answered, described
from cmdb_server.api.resource import resource
from cmdb_server.api.what_if import EditedSchema

BLUEPRINT = resource("compare", __name__, "The same question of impact at two times, or with and without edits")


class ComparedSideSchema(EditedSchema):
    """The graph of one of the answers."""

    at = Instant(load_default=None, allow_none=True)
    known_at = Instant(load_default=None, allow_none=True)


class ComparedSchema(ReportedSchema):
    failed = fields.List(fields.UUID(), required=True, validate=validate.Length(1, MOST))
    not_impacted = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=MOST))
    before = fields.Nested(ComparedSideSchema, load_default=dict)
    after = fields.Nested(ComparedSideSchema, load_default=dict)
    limit = Whole(1, MOST, load_default=100, metadata={"description": "Listed of each kind; all are compared"})


class SideToldSchema(Schema):
    revision = fields.Integer(required=True)
    at = Instant(required=True, allow_none=True)
    known_at = Instant(required=True, allow_none=True)
    supposed = fields.List(fields.Nested(SupposedSchema), required=True)
    by_state = fields.Dict(required=True)


class ChangedSchema(Schema):
    ci = fields.Nested(NamedSchema, required=True)
    change = fields.String(required=True, validate=validate.OneOf(CHANGES))
    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True, allow_none=True)


class ChangedServiceSchema(Schema):
    changed = fields.Nested(ChangedSchema, required=True)
    criticality = fields.Raw(required=True, allow_none=True)
    owner = fields.Raw(required=True, allow_none=True)


class GateChangedSchema(Schema):
    ci = fields.Nested(NamedSchema, required=True)
    before = fields.Nested(GateSchema, required=True, allow_none=True)
    after = fields.Nested(GateSchema, required=True, allow_none=True)


class ComparisonSchema(Schema):
    before = fields.Nested(SideToldSchema, required=True)
    after = fields.Nested(SideToldSchema, required=True)
    failed = fields.List(fields.Nested(NamedSchema), required=True)
    services = fields.List(fields.Nested(ChangedServiceSchema), required=True)
    cis = fields.List(fields.Nested(ChangedSchema), required=True)
    gates = fields.List(fields.Nested(GateChangedSchema), required=True)
    counts = fields.Dict(required=True, metadata={"description": "All CIs by change"})
    more = fields.Dict(required=True, metadata={"description": "How many of each kind are not listed"})


@BLUEPRINT.route("/impact/compare", methods=["POST"])
@requires("read")
@BLUEPRINT.arguments(ComparedSchema)
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, ComparisonSchema)
@described(BLUEPRINT.doc, REPORTS)
def ask(asked: dict[str, Any]) -> Response:
    """What becomes affected, and ceases to be, from one graph to another."""
    failed, spared = ([str(id_) for id_ in asked[name]] for name in ("failed", "not_impacted"))
    sides = [_side(asked[name]) for name in ("before", "after")]
    answer = compare(context().projections, viewer(), failed, sides[0], sides[1], spared, asked["limit"])
    told = answer.as_json()
    for name in ("before", "after"):
        for time in ("at", "known_at"):
            told[name][time] = None if told[name][time] is None else rfc3339(told[name][time])
    revision = max(answer.before.revision, answer.after.revision)
    return answered(lambda: answer, lambda: told, revision, asked["format"], "comparison", REPORTS)


def _side(told: dict[str, Any]) -> Side:
    return Side(told.get("at"), told.get("known_at"), tuple(told.get("edits", ())))
