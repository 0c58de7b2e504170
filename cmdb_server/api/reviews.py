"""What waits for a person: open tasks with their evidence, what each answer would change, and the answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate

from cmdb_server.answers import decided, reviews
from cmdb_server.api.asking import ListingSchema, cursor_of, opaque
from cmdb_server.api.auth import caller, requires, seen, viewer
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.decisions import DecidedSchema, EffectSchema, ReasonSchema
from cmdb_server.api.fields import Instant
from cmdb_server.api.resource import resource
from cmdb_server.ingest import decisions

BLUEPRINT = resource("reviews", __name__, "Tasks that wait for a person, and what people deleted by hand")
KINDS = ("review", "replaces", "distrusted", "duplicate-address")
ANSWERS = ("accept", "refuse")


class ListSchema(ListingSchema):
    kind = fields.String(load_default=None, validate=validate.OneOf(KINDS))


class TaskSchema(Schema):
    id = fields.String(required=True)
    kind = fields.String(required=True, metadata={"description": ", ".join(KINDS)})
    title = fields.String(required=True)
    cis = fields.Dict(required=True, metadata={"description": "id -> name of the CIs it is about"})
    since = fields.Integer(required=True, metadata={"description": "The revision that gave it this form"})


class TasksSchema(Schema):
    items = fields.List(fields.Nested(TaskSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    revision = fields.Integer(required=True)


class SideSchema(Schema):
    """One record of a review: where its word comes from, and all it bears."""

    record = fields.String(required=True)
    ci = fields.String(required=True)
    class_ = fields.String(required=True, data_key="class")
    name = fields.String(required=True, metadata={"description": "The CI's"})
    source = fields.String(required=True)
    site = fields.String(required=True)
    target = fields.String(required=True)
    first_at = Instant(required=True)
    ended_at = Instant(allow_none=True)
    identifiers = fields.Dict(required=True)
    attributes = fields.Dict(required=True)


class EvidenceSchema(Schema):
    kind = fields.String(required=True)
    points = fields.Float(required=True, metadata={"description": "Above 0 speaks for one thing"})
    ours = fields.List(fields.String(), required=True)
    theirs = fields.List(fields.String(), required=True)


class AskedSchema(TaskSchema):
    subject = fields.Dict(required=True)
    sides = fields.List(fields.Nested(SideSchema), required=True)
    evidence = fields.List(fields.Nested(EvidenceSchema), required=True)
    score = fields.Float(allow_none=True)


class WhichSchema(Schema):
    answer = fields.String(required=True, validate=validate.OneOf(ANSWERS))


class AnswerSchema(WhichSchema, ReasonSchema):
    pass


class SightingSchema(Schema):
    record = fields.String(required=True)
    source = fields.String(required=True)
    last = Instant(required=True)


class DeletedSchema(Schema):
    """A CI deleted by hand, and what was seen of it since."""

    decision = fields.String(required=True, metadata={"description": "Undo it to have the CI back"})
    ci = fields.String(required=True)
    at = Instant(required=True)
    hold_back = fields.Boolean(required=True)
    sightings = fields.List(fields.Nested(SightingSchema), required=True)


_TASKS = TasksSchema()


@BLUEPRINT.route("/reviews")
@requires("read")
@BLUEPRINT.arguments(ListSchema, location="query")
@BLUEPRINT.response(200, TasksSchema)
def every(asked: dict[str, Any]) -> Response:
    """The open tasks, oldest first. Addresses in double use are told when asked for by their kind."""
    revision = seen().revision()
    found, cursor = reviews.tasks(seen(), viewer(), asked["kind"]), cursor_of(asked["cursor"])
    start = next((n + 1 for n, task in enumerate(found) if task.id == cursor), 0)
    page = found[start : start + asked["limit"]]
    more = start + len(page) < len(found)
    told = {"items": page, "next_cursor": opaque(page[-1].id if more else None), "revision": revision}
    return tagged(_TASKS.dump(told), revision)


@BLUEPRINT.route("/reviews/<uuid:task>")
@requires("read")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, AskedSchema)
def one(task: UUID) -> dict[str, Any]:
    """One task: its records and the evidence side by side."""
    found = reviews.asked(seen(), viewer(), str(task))
    told: dict[str, Any] = {
        **{name: getattr(found.task, name) for name in ("id", "kind", "title", "cis", "since")},
        **{name: getattr(found, name) for name in ("subject", "sides", "evidence", "score")},
    }
    return told


@BLUEPRINT.route("/reviews/<uuid:task>/effect")
@requires("read")
@BLUEPRINT.arguments(WhichSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, EffectSchema)
def effect(asked: dict[str, Any], task: UUID) -> decisions.Effect:
    """What accepting or refusing would change. Nothing is decided."""
    return reviews.effect(seen(), viewer(), str(task), now_ms(), accept=asked["answer"] == "accept")


@BLUEPRINT.route("/reviews/<uuid:task>", methods=["POST"])
@requires("declare")
@BLUEPRINT.arguments(AnswerSchema)
@BLUEPRINT.doc(responses={404: "NOT_FOUND", 409: "CONFLICT"})
@BLUEPRINT.response(201, DecidedSchema)
def answer(said: dict[str, Any], task: UUID) -> decided.Decided:
    """Accept or refuse. The answer is a decision, which can be undone."""
    id_ = decisions.answer(
        seen(), caller().subject, str(task), said["reason"], now_ms(), accept=said["answer"] == "accept",
        kinds=context().kinds,
    )  # fmt: skip
    return decided.decision(seen(), id_)


@BLUEPRINT.route("/tombstones")
@requires("read")
@BLUEPRINT.response(200, DeletedSchema(many=True))
def deleted() -> list[dict[str, Any]]:
    """CIs that people deleted, and the sightings since."""
    return [
        {
            **{name: getattr(found, name) for name in ("decision", "ci", "at", "hold_back")},
            "sightings": [dict(zip(("record", "source", "last"), seen, strict=True)) for seen in found.sightings],
        }
        for found in reviews.deleted(seen(), viewer())
    ]
