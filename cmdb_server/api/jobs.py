"""Timed jobs: administrators see what is to be done when, and what fails."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from cmdb_server.api.asking import ListingSchema, cursor_of, opaque
from cmdb_server.api.auth import requires
from cmdb_server.api.context import context
from cmdb_server.api.fields import Instant
from cmdb_server.api.resource import resource
from cmdb_server.practices import timed

BLUEPRINT = resource("jobs", __name__, "What is to be done at a time, by any server or by `cmdb jobs`")


class JobListSchema(ListingSchema):
    failing = fields.Boolean(
        load_default=False, truthy={"true"}, falsy={"false"}, metadata={"description": "Whose last try failed"}
    )


class JobSchema(Schema):
    id = fields.String(required=True)
    kind = fields.String(required=True)
    subject = fields.Dict(required=True)
    due_at = Instant(required=True, allow_none=True, metadata={"description": "null: it was done"})
    attempts = fields.Integer(required=True, metadata={"description": "Failed since the last success"})
    fault = fields.String(required=True, allow_none=True, metadata={"description": "Why the last one failed"})
    done_at = Instant(required=True, allow_none=True)


class JobPageSchema(Schema):
    items = fields.List(fields.Nested(JobSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@BLUEPRINT.route("/jobs")
@requires("administer")
@BLUEPRINT.arguments(JobListSchema, location="query")
@BLUEPRINT.response(200, JobPageSchema)
def every(asked: dict[str, Any]) -> dict[str, Any]:
    """Timed jobs in order of their ids, done ones for a month."""
    items, cursor = timed.page(context().store, cursor_of(asked["cursor"]), asked["limit"], failing=asked["failing"])
    return {"items": items, "next_cursor": opaque(cursor)}
