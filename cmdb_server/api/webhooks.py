"""Who is told of changes: administrators alone say so."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
from marshmallow import Schema, fields, validate

from cmdb_server.answers.feed import KINDS
from cmdb_server.api.auth import caller, requires
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Instant, Text
from cmdb_server.api.resource import resource
from cmdb_server.errors import Invalid
from cmdb_server.practices import webhooks

BLUEPRINT = resource("webhooks", __name__, "Signed CloudEvents of every change, sent by the servers")


class NewWebhookSchema(Schema):
    url = Text(required=True, longest=2048, metadata={"description": "http or https, without credentials"})
    secret = Text(
        required=True,
        validate=validate.Regexp(r"^(env|file):.+", error="must be env:NAME or file:/path"),
        metadata={"description": "A reference: env:NAME or file:/path, as the servers know it"},
    )
    kinds = fields.List(
        fields.String(validate=validate.OneOf(KINDS)), load_default=list, validate=validate.Length(max=len(KINDS))
    )


class WebhookSchema(Schema):
    id = fields.String(required=True)
    url = fields.String(required=True)
    kinds = fields.List(fields.String(), required=True)
    subject = fields.String(required=True)
    created_at = Instant(required=True)
    since = fields.Integer(required=True, metadata={"description": "It was told everything up to this revision"})
    attempts = fields.Integer(required=True, metadata={"description": "Failed since the last success"})
    fault = fields.String(required=True, allow_none=True, metadata={"description": "Why the last one failed"})


@BLUEPRINT.route("/webhooks", methods=["POST"])
@requires("administer")
@BLUEPRINT.arguments(NewWebhookSchema)
@BLUEPRINT.response(201, WebhookSchema)
def register(wanted: dict[str, Any]) -> webhooks.Webhook:
    """Tell a URL of every change from now on."""
    return webhooks.register(
        context().store, _url(wanted["url"]), wanted["secret"], wanted["kinds"], caller().subject, now_ms()
    )


@BLUEPRINT.route("/webhooks")
@requires("administer")
@BLUEPRINT.response(200, WebhookSchema(many=True))
def every() -> list[webhooks.Webhook]:
    """All webhooks, how far each was told, and what is wrong with it."""
    return webhooks.every(context().store)


@BLUEPRINT.route("/webhooks/<uuid:id_>", methods=["DELETE"])
@requires("administer")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, WebhookSchema)
def remove(id_: UUID) -> webhooks.Webhook:
    """Tell that URL nothing any more."""
    return webhooks.remove(context().store, str(id_))


def _url(text: str) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        message = "must be http://host or https://host, without credentials"
        raise Invalid(f"url: {message}", errors=[{"path": "url", "message": message}])
    return text
