"""Configuration items: listed, shown, entered and edited."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request
from marshmallow import Schema, fields, validate

from cmdb_server.answers import inventory
from cmdb_server.answers.seen import check_entry
from cmdb_server.answers.selected import Selected, selected
from cmdb_server.api.asking import PageSchema, TimesSchema, cursor_of, opaque
from cmdb_server.api.auth import caller, requires, seen, viewer
from cmdb_server.api.ci_schemas import STAGES, CiPageSchema, CiSchema, whole
from cmdb_server.api.conditional import expected_revision, tagged
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Text, Whole
from cmdb_server.api.resource import resource
from cmdb_server.errors import Invalid
from cmdb_server.ingest import declare

BLUEPRINT = resource("cis", __name__, "Configuration items")
LONGEST = 4096
_PAGE = CiPageSchema()

ETAG = {"ETag": {"schema": {"type": "string"}, "description": "Names this state of the answer"}}
LOCATION = {"Content-Location": {"schema": {"type": "string"}, "description": "Under its canonical id"}}
CREATED = ETAG | {"Location": {"schema": {"type": "string"}, "description": "The new CI"}}
IF_NONE_MATCH = {"in": "header", "name": "If-None-Match", "schema": {"type": "string"}}
IF_MATCH = {"in": "header", "name": "If-Match", "required": True, "schema": {"type": "string"}}


class ListSchema(PageSchema):
    class_ = Text(data_key="class", metadata={"description": "The class or a descendant of it"})
    name = Text(longest=LONGEST)
    site = Text()
    life = fields.String(validate=validate.OneOf(STAGES))
    select = Text(longest=LONGEST, metadata={"description": "A selector (docs/selectors.md)"})
    attribute = fields.List(
        fields.String(validate=validate.Regexp(r"^[^=\s]+=[\s\S]*$", error="must be name=value")),
        load_default=list,
        validate=validate.Length(max=16),
        metadata={"description": "name=value; several must all hold"},
    )


class RelationEntrySchema(Schema):
    type = Text(required=True)
    ci = fields.UUID(required=True)
    reverse = fields.Boolean(
        load_default=False, truthy={True}, falsy={False}, metadata={"description": "From it, to this"}
    )
    group = Text(load_default=None, allow_none=True, metadata={"description": "The redundancy group"})
    weight = Whole(1, 1_000_000, load_default=1)


class EntrySchema(Schema):
    class_ = Text(required=True, data_key="class")
    name = Text(required=True, longest=LONGEST)
    attributes = fields.Dict(keys=Text(), load_default=dict)
    relations = fields.List(fields.Nested(RelationEntrySchema), load_default=list, validate=validate.Length(max=1000))


class EditSchema(Schema):
    name = Text(longest=LONGEST)
    attributes = fields.Dict(keys=Text(), load_default=dict, metadata={"description": "null takes your word back"})
    relations = fields.List(
        fields.Nested(RelationEntrySchema),
        validate=validate.Length(max=1000),
        metadata={"description": "All that people say of it; left out: unchanged"},
    )


@BLUEPRINT.route("/cis")
@requires("read")
@BLUEPRINT.arguments(ListSchema, location="query")
@BLUEPRINT.doc(parameters=[IF_NONE_MATCH], responses={304: {"description": "As you have it"}})
@BLUEPRINT.response(200, CiPageSchema, headers=ETAG)
def every(asked: dict[str, Any]) -> Response:
    """CIs in order of their ids, narrowed by filters that must all hold."""
    wanted = dict(text.split("=", 1) for text in asked["attribute"])
    filters = inventory.Filters(asked.get("class_"), asked.get("name"), asked.get("site"), asked.get("life"), wanted)
    page = inventory.list_cis(
        seen(), viewer(), filters, cursor_of(asked["cursor"]), asked["limit"], asked["at"], asked["known_at"],
        now_ms=now_ms(), selected=selection(asked.get("select")),
    )  # fmt: skip
    told = {"items": page.items, "next_cursor": opaque(page.cursor), "revision": page.revision}
    return tagged(_PAGE.dump(told), page.revision)


@BLUEPRINT.route("/cis/<uuid:ci>")
@requires("read")
@BLUEPRINT.arguments(TimesSchema, location="query")
@BLUEPRINT.doc(parameters=[IF_NONE_MATCH], responses={304: {"description": "As you have it"}, 404: "NOT_FOUND"})
@BLUEPRINT.response(200, CiSchema, headers=ETAG | LOCATION)
def one(asked: dict[str, Any], ci: UUID) -> Response:
    """One CI with its components, relations and sources, by any id that ever stood for it."""
    return _shown(str(ci), asked["at"], asked["known_at"])


@BLUEPRINT.route("/cis", methods=["POST"])
@requires("declare")
@BLUEPRINT.arguments(EntrySchema, example={"class": "application_service", "name": "shop", "attributes": {}})
@BLUEPRINT.doc(responses={409: "CONFLICT"})
@BLUEPRINT.response(201, CiSchema, headers=CREATED)
def enter(entry: dict[str, Any]) -> Response:
    """Enter a CI by hand. It is a source like any other, tied to what is discovered under the same name."""
    attributes = _named(entry["attributes"], entry["name"])
    relations = _relations(entry["relations"])
    check_entry(seen(), attributes, relations)
    made = declare.create(
        seen(), caller().subject, entry["class_"], attributes, relations,
        now_ms=now_ms(), kinds=context().kinds,
    )  # fmt: skip
    return _shown(made.ci, status=201)


@BLUEPRINT.route("/cis/<uuid:ci>", methods=["PATCH"])
@requires("declare")
@BLUEPRINT.arguments(EditSchema)
@BLUEPRINT.doc(
    parameters=[IF_MATCH],
    responses={404: "NOT_FOUND", 409: "CONFLICT", 412: "PRECONDITION_FAILED", 428: "PRECONDITION_REQUIRED"},
)
@BLUEPRINT.response(200, CiSchema, headers=ETAG | LOCATION)
def edit(changes: dict[str, Any], ci: UUID) -> Response:
    """Change what people say of a CI. What discovery says stays beside it, and precedence decides."""
    shown = inventory.show(seen(), viewer(), str(ci), now_ms=now_ms())
    attributes = _named(changes["attributes"], changes["name"]) if "name" in changes else changes["attributes"]
    relations = _relations(changes["relations"]) if "relations" in changes else None
    check_entry(seen(), attributes, relations or ())
    done = declare.edit(
        seen(), caller().subject, shown.id, attributes, expected_revision(shown.summary.revision), relations,
        now_ms=now_ms(), kinds=context().kinds,
    )  # fmt: skip
    return _shown(done.ci)


def selection(text: str | None) -> Selected | None:
    """What a selector means here; None without one. Raises SelectorError."""
    return None if text is None else selected(text, context().projections, context().kinds)


def _shown(ci: str, at: int | None = None, known_at: int | None = None, status: int = 200) -> Response:
    answer = inventory.show(seen(), viewer(), ci, at, known_at, now_ms=now_ms())
    told = whole(answer)
    here = told["links"]["self"]
    headers = {"Location": here} if status == 201 else {}
    if answer.id != ci or (request.view_args and str(request.view_args.get("ci", ci)) != ci):
        headers["Content-Location"] = here
    return tagged(told, answer.summary.revision, status, headers)


def _named(attributes: dict[str, Any], name: str) -> dict[str, Any]:
    if attributes.get("name", name) != name:
        message = "differs from name"
        raise Invalid(f"attributes.name: {message}", errors=[{"path": "attributes.name", "message": message}])
    return {**attributes, "name": name}


def _relations(entries: list[dict[str, Any]]) -> list[declare.DeclaredRelation]:
    return [declare.DeclaredRelation(**{**entry, "ci": str(entry["ci"])}) for entry in entries]
