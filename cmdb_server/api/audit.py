"""Who did what: whatever people change through the API is kept as it is answered, and listed for administrators."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, request
from marshmallow import Schema, fields

from cmdb_server.api.asking import ListingSchema, cursor_of, opaque
from cmdb_server.api.auth import PEOPLE, requires
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Instant, Text
from cmdb_server.api.resource import resource
from cmdb_server.practices import audit

BLUEPRINT = resource("audit", __name__, "Who did what, when")
CHANGING = frozenset(("declare", "approve", "administer"))
"""What somebody may do that changes something: reports tell of themselves, questions change nothing."""
TRIED = frozenset(("decisions.effect",))
"""Views that tell what would be changed, and change nothing."""
TOLD = (
    "name", "class", "verb", "reason", "note", "title", "state", "transition", "subject", "role", "prefix", "agent",
    "url", "created", "changed",
)  # fmt: skip
"""What is kept of an answer, where it holds it: never a secret, of which some answers tell."""
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
    """Keep what every request of the app changes."""
    app.after_request(_keep)


def _keep(response: Response) -> Response:
    if not _changed(response):
        return response
    told = response.get_json(silent=True) if not response.is_streamed and _size(response) <= LARGEST else None
    answer = told if isinstance(told, dict) else {}
    if answer.get("applied") is False:  # only told what it would have done
        return response
    named = [str(value) for value in (request.view_args or {}).values()]
    thing = named[-1] if named else str(next((answer[key] for key in ("id", "number", "name") if key in answer), ""))
    detail = {key: _short(answer[key]) for key in TOLD if isinstance(answer.get(key), str | int | float)}
    audit.keep(
        context().store, g.caller.subject, g.caller.role, str(request.endpoint), thing, detail, g.request_id,
        now_ms=now_ms(),
    )  # fmt: skip
    return response


def _changed(response: Response) -> bool:
    """Whether a person's request changed something."""
    done = "caller" in g and response.status_code < 400 and request.method not in ("GET", "HEAD", "OPTIONS")
    return (
        done and g.action in CHANGING and g.caller.role in PEOPLE and request.endpoint not in TRIED
        and request.args.get("dry_run", "").lower() not in ("true", "1", "t", "on", "yes", "y")
    )  # fmt: skip


def _size(response: Response) -> int:
    return response.content_length or 0


def _short(value: Any) -> Any:
    return value[:LONGEST] if isinstance(value, str) else value
