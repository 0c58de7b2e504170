"""Who did what: whatever people change through the API is kept with what they changed, and listed for administrators."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from flask import Flask, Response, g, has_request_context, request
from marshmallow import Schema, fields

from cmdb_server.api.asking import ListingSchema, cursor_of, opaque
from cmdb_server.api.auth import PEOPLE, requires
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Instant, Text
from cmdb_server.api.resource import resource
from cmdb_server.errors import CmdbError
from cmdb_server.practices import audit
from cmdb_server.practices.audit import Act

LOG = logging.getLogger(__name__)
BLUEPRINT = resource("audit", __name__, "Who did what, when")
ASKING = frozenset(("GET", "HEAD", "OPTIONS"))
TOLD = (
    "name", "class", "verb", "reason", "note", "title", "state", "transition", "subject", "role", "prefix", "agent",
    "url", "created", "changed",
)  # fmt: skip
"""What is kept of what was said and answered, where it is there: never a secret, of which some answers tell."""
LONGEST, LARGEST = 500, 1_000_000


class AskedSchema(ListingSchema):
    subject = Text(load_default=None)
    action = Text(load_default=None, metadata={"description": "decisions.decide; or all of a resource: decisions"})
    thing = Text(load_default=None, metadata={"description": "What it was done to: an id, a number, a name"})
    since = Instant(load_default=None)
    until = Instant(load_default=None)


class ActSchema(Schema):
    id = fields.String(required=True)
    at = Instant(required=True)
    subject = fields.String(required=True)
    role = fields.String(required=True)
    action = fields.String(required=True)
    thing = fields.String(required=True)
    revision = fields.Integer(required=True, metadata={"description": "The store's when it was done"})
    detail = fields.Dict(required=True)
    request = fields.String(required=True, metadata={"description": "Its id in the server's log"})


class ActPageSchema(Schema):
    items = fields.List(fields.Nested(ActSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


_PAGE = ActPageSchema()


@BLUEPRINT.route("/audit")
@requires("administer")
@BLUEPRINT.arguments(AskedSchema, location="query")
@BLUEPRINT.response(200, ActPageSchema)
def every(asked: dict[str, Any]) -> Response:
    """What people did, newest first: decisions, entries by hand, tokens, baselines, webhooks, changes and all else."""
    cursor, limit = cursor_of(asked.pop("cursor")), asked.pop("limit")
    store = context().store
    page = audit.acts(store, audit.Wanted(**asked), cursor, limit)
    return tagged(_PAGE.dump({"items": page.items, "next_cursor": opaque(page.cursor)}), store.revision())


def register(app: Flask) -> None:
    """Add to the lines of what requests did what they were answered with."""
    app.after_request(_complete)


def doing() -> Act | None:
    """What the person whose request is being answered does, should it write. Reports tell of themselves."""
    if not has_request_context() or "caller" not in g or request.method in ASKING:
        return None
    if g.action == "report" or g.caller.role not in PEOPLE:
        return None
    if "act" not in g:
        said = {**request.args, **g.get("said", {})}
        g.act = Act(
            str(uuid.uuid4()), now_ms(), g.caller.subject, g.caller.role, str(request.endpoint), _thing(said, {}),
            0, _words(said), g.request_id,
        )  # fmt: skip
    act: Act = g.act
    return act


def _complete(response: Response) -> Response:
    if "act" not in g:
        return response
    act: Act = g.act
    told = response.get_json(silent=True) if not response.is_streamed and _size(response) <= LARGEST else None
    answer = told if isinstance(told, dict) else {}
    words = {"refused": response.status_code} if response.status_code >= 400 else _words(answer)
    full = replace(act, thing=_thing(g.get("said", {}), answer), detail={**act.detail, **words})
    if full != act:
        try:
            audit.complete(context().store, full)
        except CmdbError as error:  # what was done stands, and its line with it
            LOG.warning("what %s answered is not kept: %s", act.request, error)
    return response


def _thing(said: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """What it was done to: its number, else what the URL names, else what was made or named."""
    named = [{"id": str(value)} for value in reversed((request.view_args or {}).values())]
    told: list[Mapping[str, Any]] = [{"number": answer.get("number")}, *named, answer, said, request.args]
    for one, key in product(told, ("id", "number", "name")):
        if isinstance(one.get(key), str | int):
            return str(one[key])
    return ""


def _words(told: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _short(told[key]) for key in TOLD if isinstance(told.get(key), str | int | float)}


def _size(response: Response) -> int:
    return response.content_length or 0


def _short(value: Any) -> Any:
    return value[:LONGEST] if isinstance(value, str) else value
