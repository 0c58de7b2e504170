"""Dropping the past before a horizon, for administrators: what would go, and then that it goes."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from cmdb_server.api.auth import caller, requires
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Flag, Instant
from cmdb_server.api.resource import resource
from cmdb_server.practices.retention import reaching, retain

BLUEPRINT = resource("retention", __name__, "How far back the history reaches")


class HorizonSchema(Schema):
    at = Instant(required=True, allow_none=True, metadata={"description": "null: nothing was ever dropped"})
    revision = fields.Integer(required=True, metadata={"description": "States known before it are not kept"})
    feed = fields.Integer(required=True, metadata={"description": "The change feed begins after it"})


class DropSchema(Schema):
    before = Instant(required=True, metadata={"description": "The past before it is dropped; at least a day ago"})
    apply = Flag(load_default=False, metadata={"description": "false: only tell what would go"})


class RetentionSchema(Schema):
    horizon = fields.Nested(HorizonSchema, required=True)
    held_by = fields.List(
        fields.String(), required=True, metadata={"description": "Baselines and webhooks that hold it back"}
    )
    dropped = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": "Table: rows"}
    )
    whole = fields.Integer(
        required=True, metadata={"description": "Groups of scopes whose reports all stay: none of them can be spared"}
    )
    applied = fields.Boolean(required=True)


_HORIZON, _RETENTION = HorizonSchema(), RetentionSchema()


@BLUEPRINT.route("/retention")
@requires("administer")
@BLUEPRINT.response(200, HorizonSchema)
def horizon() -> Response:
    """How far back the history reaches."""
    reach = reaching(context().store)
    if reach is None:
        return tagged({"at": None, "revision": 0, "feed": 0}, 0)
    return tagged(_HORIZON.dump(reach), reach.revision)


@BLUEPRINT.route("/retention", methods=["POST"])
@requires("administer")
@BLUEPRINT.arguments(DropSchema)
@BLUEPRINT.response(200, RetentionSchema)
def drop(asked: dict[str, Any]) -> Any:
    """Drop the past before a time, or tell what would go. The present and all that can be asked from then on stay."""
    done = retain(
        context().store, context().kinds, asked["before"], context().settings.sample_days, caller().subject,
        now_ms=now_ms(), apply=asked["apply"],
    )  # fmt: skip
    told = {"horizon": done.horizon, "held_by": done.horizon.held_by, "dropped": done.dropped}
    return told | {"whole": done.whole, "applied": done.applied}
