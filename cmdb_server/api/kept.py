"""What people keep of their work, of every kind alike: changes, outages, freezes, and the kinds of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields, validate

from cmdb_server.answers.changes import proceeding
from cmdb_server.answers.seen import in_whole
from cmdb_server.api.asking import ListingSchema, cursor_of, opaque
from cmdb_server.api.auth import caller, requires, seen, viewer
from cmdb_server.api.conditional import expected_revision, tagged
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Text
from cmdb_server.api.kept_schemas import HistorySchema, KeptPageSchema, KindSchema, kind_told, shown
from cmdb_server.api.resource import resource
from cmdb_server.errors import Forbidden, NotFound
from cmdb_server.practices import kept, kept_check, kept_rows, notices  # noqa: F401  notices join the versions they tell of
from cmdb_server.practices.kept import By
from cmdb_server.practices.kept_check import MOST_CIS
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.store.port import Reading

BLUEPRINT = resource("kept", __name__, "What people keep of their work: kinds, things, versions and transitions")
LONGEST_NOTE = 4096

ETAG = {"ETag": {"schema": {"type": "string"}, "description": "Names this version"}}
IF_MATCH = {"in": "header", "name": "If-Match", "required": True, "schema": {"type": "string"}}
MAY_MATCH = {**IF_MATCH, "required": False, "description": "The version that is meant; left out: whichever it is"}


class KeptContentSchema(Schema):
    body = fields.Dict(keys=Text(), load_default=dict, metadata={"description": "field -> value; null: none"})
    cis = fields.Dict(
        keys=Text(),
        values=fields.List(fields.UUID(), validate=validate.Length(max=MOST_CIS)),
        load_default=dict,
        metadata={"description": "role -> ids; when edited: of the roles that are told"},
    )
    note = Text(load_default="", shortest=0, longest=LONGEST_NOTE, metadata={"description": "Kept in the history"})


class MoveSchema(Schema):
    transition = Text(required=True)
    body = fields.Dict(keys=Text(), load_default=dict, metadata={"description": "Fields that change with it"})
    note = Text(load_default="", shortest=0, longest=LONGEST_NOTE, metadata={"description": "Kept in the history"})


class KeptListSchema(ListingSchema):
    state = fields.List(Text(), load_default=list, validate=validate.Length(max=32))
    ci = fields.UUID(load_default=None, metadata={"description": "Naming this CI, by any id that ever stood for it"})
    subject = Text(load_default=None, metadata={"description": "Opened by"})


@BLUEPRINT.route("/kept")
@requires("read")
@BLUEPRINT.response(200, KindSchema(many=True))
def every_kind() -> list[dict[str, Any]]:
    """All kinds, with their fields, states and transitions."""
    return [kind_told(kind) for _, kind in sorted(context().kept.items())]


@BLUEPRINT.route("/kept/<kind>")
@requires("read")
@BLUEPRINT.arguments(KeptListSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, KeptPageSchema)
def every(asked: dict[str, Any], kind: str) -> Response:
    """Things of a kind in order of their numbers; what narrows them must all hold."""
    page = kept_rows.every(
        seen(), kind, asked["state"], asked["ci"] and str(asked["ci"]), asked["subject"],
        cursor_of(asked["cursor"]), asked["limit"], context().kept,
    )  # fmt: skip
    told = {"items": [shown(one, context().kept) for one in page.items], "next_cursor": opaque(page.cursor)}
    return tagged(told | {"revision": page.revision}, page.revision)


@BLUEPRINT.route("/kept/<kind>", methods=["POST"])
@requires("read")
@BLUEPRINT.arguments(KeptContentSchema, example={"body": {"summary": "Move web-1"}, "cis": {}})
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(201, KeptPageSchema.Item, headers=ETAG)
def open_(told: dict[str, Any], kind: str) -> Response:
    """Open a thing, where the kind lets the caller."""
    _check_seen(kind, told)
    made = kept.open_(seen(), kind, told["body"], _cis(told), _by(told), context().kept)
    return _answer(made, 201, {"Location": f"{request.base_url}/{made.number}"})


@BLUEPRINT.route("/kept/<kind>/<number>")
@requires("read")
@BLUEPRINT.doc(responses={304: {"description": "As you have it"}, 404: "NOT_FOUND"})
@BLUEPRINT.response(200, KeptPageSchema.Item, headers=ETAG)
def one(kind: str, number: str) -> Response:
    """One thing as it stands, and the transitions that lead on."""
    return _answer(_found(kind, number))


@BLUEPRINT.route("/kept/<kind>/<number>", methods=["PATCH"])
@requires("read")
@BLUEPRINT.arguments(KeptContentSchema, example={"body": {"description": "By night"}})
@BLUEPRINT.doc(
    parameters=[IF_MATCH],
    responses={404: "NOT_FOUND", 409: "CONFLICT", 412: "PRECONDITION_FAILED", 428: "PRECONDITION_REQUIRED"},
)
@BLUEPRINT.response(200, KeptPageSchema.Item, headers=ETAG)
def edit(told: dict[str, Any], kind: str, number: str) -> Response:
    """Change fields and CIs, where the kind and the state let the caller."""
    present = _found(kind, number, in_whole)
    version = expected_revision(present.version)
    _check_seen(kind, told, present)
    return _answer(kept.edit(seen(), number, version, told["body"], _by(told), _cis(told), context().kept))


@BLUEPRINT.route("/kept/<kind>/<number>/transitions", methods=["POST"])
@requires("read")
@BLUEPRINT.arguments(MoveSchema, example={"transition": "cancel", "note": "Not needed any more"})
@BLUEPRINT.doc(parameters=[MAY_MATCH], responses={404: "NOT_FOUND", 409: "CONFLICT", 412: "PRECONDITION_FAILED"})
@BLUEPRINT.response(200, KeptPageSchema.Item, headers=ETAG)
def move(told: dict[str, Any], kind: str, number: str) -> Response:
    """Go one transition, where the kind lets the caller. From a wrong state: 409 with what is possible."""
    present = _found(kind, number, in_whole).version
    version = expected_revision(present) if "If-Match" in request.headers else None
    moved = proceeding.move(
        context().projections, viewer(), number, told["transition"], _by(told), told["body"], version, context().kept
    )
    return _answer(moved)


@BLUEPRINT.route("/kept/<kind>/<number>/history")
@requires("read")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, HistorySchema(many=True))
def history(kind: str, number: str) -> list[kept_rows.Version]:
    """All versions, oldest first: who made each by which transition, and what it was then."""
    return kept_rows.history(seen(), _found(kind, number).number)


def _check_seen(kind: str, told: dict[str, Any], present: Kept | None = None) -> None:
    """Refuse CIs that the caller does not see as if they were not there, and what is held against all of them."""
    what = context().kept.get(kind)
    if viewer().sight is None or what is None:
        return
    held = [id_ for ids in present.cis.values() for id_ in ids] if present is not None else []
    faults = list(seen().read(lambda tx: list(kept_check.cis_faults(tx, what, _cis(told), held))))
    if faults:
        raise kept_check.invalid(faults)
    ruled = [name for name, field in what.fields.items() if field.type == "selector" and told["body"].get(name)]
    if ruled:
        raise Forbidden(f"body.{ruled[0]}: a selector is held against everything, of which you see a part")


def _found(kind: str, number: str, read: Callable[[Reading, str], Kept] = kept_rows.one_in) -> Kept:
    found = seen().read(lambda tx: read(tx, number))
    if found.kind != kind:
        raise NotFound(f"there is no {kind} {number}")
    return found


def _answer(thing: Kept, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return tagged(shown(thing, context().kept), thing.version, status, headers)


def _by(told: dict[str, Any]) -> By:
    return By(caller().subject, (caller().role,), now_ms(), told["note"])


def _cis(told: dict[str, Any]) -> dict[str, list[str]]:
    return {role: [str(id_) for id_ in ids] for role, ids in told["cis"].items()}
