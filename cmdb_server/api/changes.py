"""Changes: what is found out about one, when it could be done, who approves, and what came of those before."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate

from cmdb_schemas.units import duration_ms
from cmdb_server.answers.changes.assessment import assess
from cmdb_server.answers.changes.outcomes import BY, success
from cmdb_server.answers.changes.release import release
from cmdb_server.answers.changes.slots import next_slot
from cmdb_server.answers.changes.unplanned import UnplannedChange, unplanned
from cmdb_server.answers.changes.verification import verify
from cmdb_server.answers.render.media import REPORTS
from cmdb_server.answers.told import plain
from cmdb_server.api.asking import ListingSchema, cursor_of, opaque
from cmdb_server.api.auth import requires, seen, viewer
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import context
from cmdb_server.api.fields import Instant, rfc3339
from cmdb_server.api.impact import ImpactSchema, NamedSchema, impact_told
from cmdb_server.api.intervals import IntervalsSchema
from cmdb_server.api.kept_schemas import KeptPageSchema, shown
from cmdb_server.api.rendering import ReportedSchema, answered, described
from cmdb_server.api.resource import resource
from cmdb_server.api.spans import SpanToldSchema, timed
from cmdb_server.practices import assessments, kept_rows
from cmdb_server.store.partial import whole
from cmdb_server.store.port import Reading

BLUEPRINT = resource("change-enablement", __name__, "Changes: assessment, approvals, free slots, what came of them")


class OverlapSchema(Schema):
    number = fields.String(required=True)
    kind = fields.String(required=True)
    state = fields.String(required=True)
    summary = fields.String(required=True)
    spans = fields.List(fields.Nested(SpanToldSchema), required=True)
    same = fields.List(fields.Nested(NamedSchema), required=True)
    providers = fields.List(fields.Nested(NamedSchema), required=True)
    consumers = fields.List(fields.Nested(NamedSchema), required=True)
    people = fields.List(fields.String(), required=True)


class FatalMeetingSchema(Schema):
    ci = fields.Nested(NamedSchema, required=True)
    relation = fields.String(required=True, allow_none=True)
    text = fields.String(required=True)
    numbers = fields.List(fields.String(), required=True)
    group = fields.Boolean(required=True)
    masked = fields.Boolean(required=True)
    certain = fields.Boolean(required=True)


class CollisionSchema(Schema):
    numbers = fields.List(fields.String(), required=True)
    spans = fields.List(fields.Nested(SpanToldSchema), required=True)
    together = fields.List(fields.Nested(NamedSchema), required=True)
    more = fields.Integer(required=True)
    meetings = fields.List(fields.Nested(FatalMeetingSchema), required=True)


class FreezeSchema(Schema):
    number = fields.String(required=True)
    summary = fields.String(required=True)
    spans = fields.List(fields.Nested(SpanToldSchema), required=True)
    cis = fields.List(fields.String(), required=True)
    emergencies = fields.Boolean(required=True)


class ConditionsSchema(Schema):
    freezes = fields.List(fields.Nested(FreezeSchema), required=True)
    in_windows = fields.Float(required=True, allow_none=True)
    outside = fields.List(fields.Nested(SpanToldSchema), required=True)
    windows = fields.List(fields.String(), required=True)
    freezes_now = fields.List(
        fields.Nested(FreezeSchema), required=True, metadata={"description": "In which it would lie, were it begun now"}
    )


class TermSchema(Schema):
    name = fields.String(required=True)
    share = fields.Float(required=True)
    weight = fields.Float(required=True)
    points = fields.Float(required=True)
    why = fields.String(required=True)


class RiskSchema(Schema):
    score = fields.Integer(required=True)
    band = fields.String(required=True)
    terms = fields.List(fields.Nested(TermSchema), required=True)


class ApprovalNeededSchema(Schema):
    service = fields.Nested(NamedSchema, required=True)
    state = fields.String(required=True)
    owner = fields.String(required=True, allow_none=True)
    criticality = fields.String(required=True, allow_none=True)
    with_ = fields.List(
        fields.String(), required=True, data_key="with", metadata={"description": "Hit only together with these"}
    )


class AssessmentSchema(Schema):
    number = fields.String(required=True)
    version = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    assessed_at = Instant(required=True)
    spans = fields.List(fields.Nested(SpanToldSchema), required=True)
    impact = fields.Nested(ImpactSchema, required=True, allow_none=True)
    overlaps = fields.List(fields.Nested(OverlapSchema), required=True)
    collisions = fields.List(fields.Nested(CollisionSchema), required=True)
    conditions = fields.Nested(ConditionsSchema, required=True)
    risk = fields.Nested(RiskSchema, required=True)
    approvals = fields.List(fields.Nested(ApprovalNeededSchema), required=True)
    template_faults = fields.List(fields.String(), required=True)
    substance = fields.String(required=True)


class Duration(fields.Field[int]):
    """An ISO 8601 duration outside, ms inside."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        found = duration_ms(value)
        if found is None:
            raise ValidationError("not an ISO 8601 duration such as PT2H30M")
        return found


class SlotQuerySchema(Schema):
    length = Duration(load_default=None, metadata={"type": "string", "description": "ISO 8601; its longest window"})
    after = Instant(load_default=None, metadata={"description": "Not before; now"})


class SlotSchema(Schema):
    number = fields.String(required=True)
    revision = fields.Integer(required=True)
    after = Instant(required=True)
    until = Instant(required=True)
    length = fields.Integer(required=True, metadata={"description": "ms"})
    slot = fields.Nested(SpanToldSchema, required=True, allow_none=True)
    in_the_way = fields.List(fields.String(), required=True)
    frozen = fields.Integer(required=True, metadata={"description": "ms"})
    windows = fields.List(fields.String(), required=True)


class VerifiedSchema(Schema):
    kind = fields.String(required=True)
    change = fields.String(required=True)
    id = fields.List(fields.String(), required=True)
    class_ = fields.String(required=True, data_key="class")
    name = fields.String(required=True)
    values = fields.Dict(required=True, metadata={"description": "attribute -> [before, after]"})
    into = fields.String(required=True, allow_none=True)


class ExpectationSchema(Schema):
    expected = fields.Dict(required=True, metadata={"description": "As it was told with the change"})
    result = fields.String(required=True, metadata={"enum": ["done", "already", "missing"]})


class VerificationSchema(Schema):
    number = fields.String(required=True)
    revision = fields.Integer(required=True)
    before = Instant(required=True)
    after = Instant(required=True)
    outcomes = fields.List(fields.Nested(ExpectationSchema), required=True)
    unplanned = fields.List(fields.Nested(VerifiedSchema), required=True)
    more = fields.Integer(required=True)
    holds = fields.Boolean(required=True)


class PlacedSchema(SpanToldSchema):
    number = fields.String(required=True)
    state = fields.String(required=True)
    summary = fields.String(required=True)
    late = fields.Boolean(required=True)


class ReleaseSchema(Schema):
    number = fields.String(required=True)
    state = fields.String(required=True)
    changes = fields.List(fields.Nested(PlacedSchema), required=True)
    impact = fields.Nested(IntervalsSchema, required=True, allow_none=True)


class UnplannedQuerySchema(ListingSchema):
    since = Instant(required=True)
    until = Instant(load_default=None, metadata={"description": "Now"})


class UnplannedChangeSchema(VerifiedSchema):
    at = Instant(required=True, metadata={"description": "When it was observed"})
    cis = fields.List(
        fields.Nested(NamedSchema), required=True, metadata={"description": "What it is of; a part's outermost whole"}
    )
    number = fields.String(
        required=True, allow_none=True, metadata={"description": "Of the unplanned change that was kept of it"}
    )


class UnplannedSchema(Schema):
    revision = fields.Integer(required=True)
    since = Instant(required=True)
    until = Instant(required=True)
    items = fields.List(fields.Nested(UnplannedChangeSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class SuccessQuerySchema(Schema):
    by = fields.String(load_default="all", validate=validate.OneOf(BY))
    since = Instant(load_default=None)


class SuccessSchema(Schema):
    name = fields.String(required=True)
    changes = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    with_issues = fields.Integer(required=True)
    rate = fields.Float(required=True, allow_none=True)


class CalibrationSchema(Schema):
    band = fields.String(required=True)
    changes = fields.Integer(required=True)
    wrong = fields.Integer(required=True)
    low = fields.Float(required=True)
    high = fields.Float(required=True)


class SuccessAnswerSchema(Schema):
    by = fields.String(required=True)
    items = fields.List(fields.Nested(SuccessSchema), required=True)
    calibration = fields.List(fields.Nested(CalibrationSchema), required=True)


class AssessedSchema(ReportedSchema):
    pass


@BLUEPRINT.route("/kept/change/<number>/assessment")
@requires("read")
@BLUEPRINT.arguments(AssessedSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND", 409: "CONFLICT"})
@BLUEPRINT.response(200, AssessmentSchema)
@described(BLUEPRINT.doc, REPORTS)
def assessment(asked: dict[str, Any], number: str) -> Response:
    """What a change does now, computed afresh. It is kept with the change whenever a transition needs it."""
    found = assess(context().projections, viewer(), number)
    told = timed(found.as_json()) | {"assessed_at": rfc3339(found.assessed_at)}
    told["impact"] = None if found.impact is None else impact_told(found.impact)
    return answered(lambda: found, lambda: told, found.revision, asked["format"], f"assessment-{found.number}", REPORTS)


@BLUEPRINT.route("/kept/change/<number>/approvals")
@requires("read")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, KeptPageSchema.Item(many=True))
def approvals(number: str) -> Response:
    """The approvals that were asked with the assessment that holds."""

    def work(tx: Reading) -> Response:
        change = kept_rows.one_in(tx, number)
        found = assessments.current(whole(tx), change.number)
        told = [] if found is None else assessments.approvals(tx, found)
        return tagged([shown(one, context().kept) for one in told], tx.revision)

    return seen().read(work)


@BLUEPRINT.route("/kept/change/<number>/slot")
@requires("read")
@BLUEPRINT.arguments(SlotQuerySchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, SlotSchema)
def slot(asked: dict[str, Any], number: str) -> Response:
    """The next time long enough that is allowed, not frozen, and collides with nothing."""
    found = next_slot(context().projections, viewer(), number, asked["length"], asked["after"])
    told = timed(asdict(found)) | {"after": rfc3339(found.after), "until": rfc3339(found.until)}
    return tagged(told, found.revision)


@BLUEPRINT.route("/kept/change/<number>/verification")
@requires("read")
@BLUEPRINT.doc(responses={404: "NOT_FOUND", 409: "CONFLICT"})
@BLUEPRINT.response(200, VerificationSchema)
def verification(number: str) -> Response:
    """A change that was begun, held against what was expected of it: done, missing, not planned."""
    found = verify(context().projections, viewer(), number)
    told = plain(asdict(found)) | {"before": rfc3339(found.before), "after": rfc3339(found.after)}
    return tagged(told, found.revision)


@BLUEPRINT.route("/kept/release/<number>/assessment")
@requires("read")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, ReleaseSchema)
def release_assessment(number: str) -> Response:
    """The changes of a release as a sequence: what breaks from when to when, each on the graph that those before leave."""
    found = release(context().projections, viewer(), number)
    return tagged(timed(found.as_json()), seen().revision())


@BLUEPRINT.route("/unplanned-changes")
@requires("read")
@BLUEPRINT.arguments(UnplannedQuerySchema, location="query")
@BLUEPRINT.response(200, UnplannedSchema)
def unplanned_changes(asked: dict[str, Any]) -> Response:
    """What discovery saw change, by reports received in a time, outside of any booked change. A page may have fewer items
    than it may hold, and go on all the same."""
    page = asked["limit"], cursor_of(asked["cursor"])
    found = unplanned(context().projections, viewer(), asked["since"], asked["until"], *page)
    told = {
        "revision": found.revision, "since": rfc3339(found.since), "until": rfc3339(found.until),
        "items": [_unplanned(one) for one in found.items], "next_cursor": opaque(found.cursor),
    }  # fmt: skip
    return tagged(told, found.revision)


def _unplanned(one: UnplannedChange) -> dict[str, Any]:
    told: dict[str, Any] = plain(asdict(one.difference) | {"cis": [asdict(ci) for ci in one.cis]})
    return told | {"at": rfc3339(one.at), "number": one.number}


@BLUEPRINT.route("/change-success")
@requires("read")
@BLUEPRINT.arguments(SuccessQuerySchema, location="query")
@BLUEPRINT.response(200, SuccessAnswerSchema)
def successes(asked: dict[str, Any]) -> dict[str, Any]:
    """How many changes went well, and what became of those of each band of risk."""
    told: dict[str, Any] = plain(asdict(success(context().projections, viewer(), asked["by"], asked["since"])))
    return told
