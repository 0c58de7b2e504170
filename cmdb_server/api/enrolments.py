"""How an agent comes by its token: an administrator makes a one-time code, the agent pays with it."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from cmdb_server.api import token
from cmdb_server.api.auth import anonymous, requires
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Instant, Text, Whole
from cmdb_server.api.resource import resource
from cmdb_server.api.tokens import GrantSchema, MintedSchema, minted
from cmdb_server.ingest.caller import Grant
from cmdb_server.practices.agents import check_serving

BLUEPRINT = resource("enrolments", __name__, "One-time codes that buy an agent's token")
AGENT_LIFETIME_MS = 730 * token.DAY_MS
MINUTE_MS = 60_000


class OfferSchema(GrantSchema):
    minutes = Whole(1, 10_080, load_default=60, metadata={"description": "Until expiry"})


class CodeSchema(Schema):
    id = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "Buys one token, once; never told again"})
    expires_at = Instant(required=True)


class EnrolSchema(Schema):
    code = Text(required=True)
    agent = Text(metadata={"description": "The agent's name, to be refused when the code is another's"})


@BLUEPRINT.route("/enrolment-codes", methods=["POST"])
@requires("administer")
@BLUEPRINT.arguments(OfferSchema)
@BLUEPRINT.doc(responses={409: "CONFLICT"})
@BLUEPRINT.response(201, CodeSchema)
def offer(wanted: dict[str, Any]) -> dict[str, Any]:
    """Make a code for one agent, with all that its token will grant."""
    lifetime = wanted.pop("minutes") * MINUTE_MS
    grant = Grant(wanted["agent"], *(tuple(wanted[name]) for name in ("sites", "sources", "networks")))
    context().store.read(lambda tx: check_serving(tx, grant.agent))
    code, id_, expires_at = token.offer(context().store, grant, now_ms(), lifetime)
    return {"id": id_, "code": code, "expires_at": expires_at}


@BLUEPRINT.route("/enrol", methods=["POST"])
@anonymous
@BLUEPRINT.arguments(EnrolSchema)
@BLUEPRINT.response(201, MintedSchema)
def enrol(paid: dict[str, Any]) -> dict[str, Any]:
    """Buy the token that a code was made for. The code is void afterwards."""
    return minted(*token.enrol(context().store, paid["code"], now_ms(), AGENT_LIFETIME_MS, paid.get("agent")))
