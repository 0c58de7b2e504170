"""What people decide about identity and values: made, tried without being made, listed, and undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response, request
from marshmallow import Schema, fields, validate

from cmdb_server.answers import decided, inventory
from cmdb_server.answers.effect import words
from cmdb_server.api.asking import ListingSchema, cursor_of, opaque
from cmdb_server.api.auth import caller, requires, seen, viewer
from cmdb_server.api.conditional import expected_revision, tagged
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Flag, Instant, Text
from cmdb_server.api.reports import CiChangeSchema
from cmdb_server.api.resource import resource
from cmdb_server.errors import Invalid
from cmdb_server.ingest import decisions, declare
from cmdb_server.store.port import Reading

BLUEPRINT = resource("decisions", __name__, "What people decide about identity and values; each can be undone")
VERBS = ("merge", "split", "distrust", "pin", "tombstone")
LONGEST_REASON = 4096


class ReasonSchema(Schema):
    reason = Text(required=True, longest=LONGEST_REASON, metadata={"description": "Why: kept in the history"})


class ChoiceSchema(Schema):
    """``sides``: for merge and split two or more lists of records; for pin and tombstone one record. A CI's id is one
    of its records'."""

    verb = fields.String(required=True, validate=validate.OneOf(VERBS))
    sides = fields.List(fields.List(fields.UUID(), validate=validate.Length(1, 1000)), validate=validate.Length(1, 100))
    value = fields.List(
        Text(longest=1024), validate=validate.Length(2, 2), metadata={"description": "distrust: [kind, value]"}
    )
    attribute = Text(metadata={"description": "pin: of which attribute"})
    pinned = fields.Raw(allow_none=True, metadata={"description": "pin: the value it has"})
    hold_back = Flag(metadata={"description": "tombstone: hidden until undone, even when seen again"})


class DecideSchema(ChoiceSchema, ReasonSchema):
    pass


class DecidedSchema(Schema):
    id = fields.String(required=True)
    revision = fields.Integer(required=True)
    verb = fields.String(required=True, metadata={"description": "One of the verbs, or undo"})
    body = fields.Dict(required=True)
    by = fields.String(required=True)
    at = Instant(required=True)
    reason = fields.String(required=True)
    undoes = fields.String(allow_none=True)
    undone_by = fields.String(allow_none=True)
    in_effect = fields.Boolean(required=True)
    cis = fields.List(fields.String(), required=True, metadata={"description": "Which CIs hold its records now"})


class DecidedPageSchema(Schema):
    items = fields.List(fields.Nested(DecidedSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    revision = fields.Integer(required=True)


class EffectSchema(Schema):
    """What a decision changes."""

    moved = fields.Function(
        lambda effect: [
            {
                "record": record,
                "from": former,
                "to": now,
                **dict(zip(("source", "target", "class"), effect.told_by.get(record, ("", "", "")), strict=True)),
            }
            for record, (former, now) in effect.moved.items()
        ],
        metadata={"type": "array", "items": {"type": "object"}, "description": "Records that change hands"},
    )
    changed = fields.List(fields.String(), required=True, metadata={"description": "CIs that change or come to be"})
    gone = fields.List(fields.String(), required=True, metadata={"description": "CIs that are no more"})
    cis = fields.List(
        fields.Nested(CiChangeSchema), required=True, metadata={"description": "What becomes of each of these CIs"}
    )
    words = fields.Function(
        lambda effect: [asdict(one) for one in words(effect)],
        metadata={"type": "array", "items": {"type": "object"}, "description": "The same for people: what, id, text"},
    )


class ListSchema(ListingSchema):
    verb = fields.String(load_default=None, validate=validate.OneOf((*VERBS, "undo")))
    ci = fields.UUID(load_default=None)


_PAGE = DecidedPageSchema()
MAY_MATCH = {
    "in": "header", "name": "If-Match", "required": False, "schema": {"type": "string"},
    "description": "The CI as it is meant, where it is decided of one: pin and tombstone",
}  # fmt: skip


@BLUEPRINT.route("/decisions", methods=["POST"])
@requires("declare")
@BLUEPRINT.arguments(
    DecideSchema, example={"verb": "distrust", "value": ["serial", "0123456789"], "reason": "a sticker"}
)
@BLUEPRINT.doc(parameters=[MAY_MATCH], responses={404: "NOT_FOUND", 412: "PRECONDITION_FAILED"})
@BLUEPRINT.response(201, DecidedSchema)
def decide(wanted: dict[str, Any]) -> decided.Decided:
    """Decide. It is applied at once, to what it touches alone, and undone by another decision."""
    verb, reason = wanted.pop("verb"), wanted.pop("reason")
    body = decided.check_seen(seen(), verb, body_of(wanted))
    check = _as_it_was(verb, body) if "If-Match" in request.headers else lambda _: None
    id_ = decisions.decide(seen(), caller().subject, verb, body, reason, now_ms(), kinds=context().kinds, check=check)
    return decided.decision(seen(), id_)


def _as_it_was(verb: str, body: Mapping[str, Any]) -> Callable[[Reading], object]:
    """Refuses a decision about a CI that changed since its entity tag was given out."""
    sides = decisions.checked(verb, body).get("sides", ())
    if len(sides) != 1:
        message = "is for what is decided of one CI: pin and tombstone"
        raise Invalid(f"If-Match: {message}", errors=[{"path": "If-Match", "message": message}])
    ci = sides[0][0]
    revision = expected_revision(inventory.show(seen(), viewer(), ci, now_ms=now_ms()).summary.revision)
    return lambda tx: declare.unchanged(tx, ci, revision)


@BLUEPRINT.route("/decisions/effect", methods=["POST"])
@requires("declare")
@BLUEPRINT.arguments(ChoiceSchema)
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, EffectSchema)
def effect(wanted: dict[str, Any]) -> decisions.Effect:
    """What a decision would change, without making it."""
    verb = wanted.pop("verb")
    return decisions.effect(seen(), verb, decided.check_seen(seen(), verb, body_of(wanted)), now_ms(), context().kinds)


@BLUEPRINT.route("/decisions")
@requires("read")
@BLUEPRINT.arguments(ListSchema, location="query")
@BLUEPRINT.response(200, DecidedPageSchema)
def every(asked: dict[str, Any]) -> Response:
    """All decisions, newest first, those that were undone too."""
    ci = None if asked["ci"] is None else str(asked["ci"])
    page = decided.decisions(seen(), asked["verb"], ci, cursor_of(asked["cursor"]), asked["limit"])
    told = {"items": page.items, "next_cursor": opaque(page.cursor), "revision": page.revision}
    return tagged(_PAGE.dump(told), page.revision)


@BLUEPRINT.route("/decisions/<uuid:id_>")
@requires("read")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, DecidedSchema)
def one(id_: UUID) -> decided.Decided:
    """One decision: who, when, why, and whether it holds."""
    return decided.decision(seen(), str(id_))


@BLUEPRINT.route("/decisions/<uuid:id_>/undo", methods=["POST"])
@requires("declare")
@BLUEPRINT.arguments(ReasonSchema)
@BLUEPRINT.doc(responses={404: "NOT_FOUND", 409: "CONFLICT"})
@BLUEPRINT.response(201, DecidedSchema)
def undo(wanted: dict[str, Any], id_: UUID) -> decided.Decided:
    """Take a decision back, an undoing included."""
    taken = decided.decision(seen(), str(id_)).id
    undoing = decisions.undo(seen(), caller().subject, taken, wanted["reason"], now_ms(), kinds=context().kinds)
    return decided.decision(seen(), undoing)


def body_of(wanted: dict[str, Any]) -> dict[str, Any]:
    """What was sent, as ``decide`` takes it."""
    body = dict(wanted)
    if "sides" in body:
        body["sides"] = [[str(record) for record in side] for side in body["sides"]]
    return body
