"""Agents: what each looks after; retired, and restored."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from cmdb_server.api.auth import caller, requires
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Instant, Text
from cmdb_server.api.resource import resource
from cmdb_server.practices import agents

BLUEPRINT = resource("agents", __name__, "Agents and what they look after")
LONGEST_REASON = 4096


class RetiredSchema(Schema):
    at = Instant(required=True)
    by = fields.String(required=True)
    reason = fields.String(required=True)


class AgentSchema(Schema):
    name = fields.String(required=True)
    retired = fields.Nested(RetiredSchema, required=True, allow_none=True)
    last_report = Instant(required=True, allow_none=True, metadata={"description": "When its newest was observed"})
    scopes = fields.Integer(required=True, metadata={"description": "Whose newest report is its own"})
    things = fields.Integer(required=True, metadata={"description": "That these told of"})
    tokens = fields.Integer(required=True, metadata={"description": "That are valid"})


class AgentScopeSchema(Schema):
    source = fields.String(required=True)
    site = fields.String(required=True)
    target = fields.String(required=True)
    probe = fields.String(required=True)
    part = fields.Integer(required=True)
    at = Instant(required=True)
    things = fields.Integer(required=True)


class AgentWorkSchema(Schema):
    agent = fields.Nested(AgentSchema, required=True)
    scopes = fields.List(fields.Nested(AgentScopeSchema), required=True)
    alone = fields.List(fields.String(), required=True, metadata={"description": "CIs that nobody else confirms"})


class RetireSchema(Schema):
    reason = Text(required=True, longest=LONGEST_REASON, metadata={"description": "Why"})


@BLUEPRINT.route("/agents")
@requires("administer")
@BLUEPRINT.response(200, AgentSchema(many=True))
def every() -> list[agents.Agent]:
    """All agents that hold or held a token or delivered, by name."""
    return agents.every(context().store, now_ms())


@BLUEPRINT.route("/agents/<name>")
@requires("administer")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, AgentWorkSchema)
def one(name: str) -> agents.Work:
    """One agent with the scopes it looks after, and the CIs that would age without it."""
    return agents.work(context().store, name, now_ms())


@BLUEPRINT.route("/agents/<name>/retirement", methods=["POST"])
@requires("administer")
@BLUEPRINT.arguments(RetireSchema)
@BLUEPRINT.doc(responses={404: "NOT_FOUND", 409: "CONFLICT"})
@BLUEPRINT.response(201, AgentWorkSchema)
def retire(wanted: dict[str, Any], name: str) -> agents.Work:
    """Retire an agent: its tokens are refused from the next request on, and it can buy no other. What it alone looked
    after ages, unless another agent takes it over."""
    return agents.retire(context().store, name, caller().subject, wanted["reason"], now_ms())


@BLUEPRINT.route("/agents/<name>/retirement", methods=["DELETE"])
@requires("administer")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, AgentWorkSchema)
def restore(name: str) -> agents.Work:
    """Take a retirement back. The agent is enrolled again with a new code; revoked tokens stay revoked."""
    return agents.restore(context().store, name, now_ms())
