"""Tokens of people and systems: made, listed and revoked by an administrator."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from cmdb_server.api import token
from cmdb_server.api.auth import PEOPLE, requires
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Instant, Text, Whole
from cmdb_server.api.resource import resource
from cmdb_server.errors import Invalid
from cmdb_server.model.selector_lexer import SelectorError

BLUEPRINT = resource("tokens", __name__, "Bearer tokens; told once, kept as a hash, revoked at once")
LONGEST, LONGEST_DAYS = 4096, 3650


class GrantSchema(Schema):
    """What an agent may report on. ``*`` is any; no networks: any address."""

    agent = Text(required=True)
    sites = fields.List(Text(), load_default=lambda: ["*"], validate=validate.Length(max=256))
    sources = fields.List(Text(), load_default=lambda: ["*"], validate=validate.Length(max=256))
    networks = fields.List(Text(), load_default=list, validate=validate.Length(max=256))


class TokenSchema(Schema):
    id = fields.String(required=True)
    prefix = fields.String(required=True)
    subject = fields.String(required=True)
    role = fields.String(required=True)
    grant = fields.Nested(GrantSchema, allow_none=True)
    sees = fields.String(required=True, allow_none=True, metadata={"description": "The CIs it may see; null: all"})
    created_at = Instant(required=True)
    expires_at = Instant(required=True)
    revoked_at = Instant(allow_none=True)


class NewTokenSchema(Schema):
    subject = Text(required=True)
    role = fields.String(required=True, validate=validate.OneOf(PEOPLE))
    days = Whole(1, LONGEST_DAYS, load_default=365, metadata={"description": "Until expiry"})
    sees = Text(
        load_default=None, allow_none=True, longest=LONGEST,
        metadata={"description": "A selector (docs/rights.md): the CIs it may see; null: all. Not for administrators"},
    )  # fmt: skip


class MintedSchema(TokenSchema):
    token = fields.String(required=True, metadata={"description": "The secret: it is never told again"})


@BLUEPRINT.route("/tokens", methods=["POST"])
@requires("administer")
@BLUEPRINT.arguments(NewTokenSchema)
@BLUEPRINT.response(201, MintedSchema)
def create(wanted: dict[str, Any]) -> dict[str, Any]:
    """Make a token for a person or a system."""
    lifetime, sees = wanted["days"] * token.DAY_MS, wanted["sees"]
    if sees is not None and wanted["role"] == "admin":
        message = "administrators see everything: they make tokens, and read what everybody did"
        raise Invalid(f"sees: {message}", errors=[{"path": "sees", "message": message}])
    _check(sees)
    text, made = token.create(context().store, wanted["subject"], wanted["role"], None, now_ms(), lifetime, sees)
    return minted(text, made)


@BLUEPRINT.route("/tokens")
@requires("administer")
@BLUEPRINT.response(200, TokenSchema(many=True))
def every() -> list[token.Token]:
    """All tokens without their secrets, newest first."""
    return token.every(context().store)


@BLUEPRINT.route("/tokens/<uuid:id_>", methods=["DELETE"])
@requires("administer")
@BLUEPRINT.response(200, TokenSchema)
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
def revoke(id_: Any) -> token.Token:
    """Revoke a token. It is refused from the next request on, in every process."""
    return token.revoke(context().store, str(id_), now_ms())


def _check(sees: str | None) -> None:
    """Raise Invalid with the column of what is no selector."""
    try:
        context().sights.of(sees)
    except SelectorError as error:
        message = error.detail.removeprefix("select, ")
        raise Invalid(f"sees, {message}", errors=[{"path": "sees", "message": message}]) from error


def minted(text: str, made: token.Token) -> dict[str, Any]:
    """What the buyer of a token is told, this once."""
    return {**{name: getattr(made, name) for name in TokenSchema().fields}, "token": text}
