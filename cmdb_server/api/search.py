"""CIs by any text that belongs to them."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from cmdb_server.answers import inventory
from cmdb_server.api.asking import TimesSchema
from cmdb_server.api.auth import requires, seen, viewer
from cmdb_server.api.ci_schemas import CiSummarySchema
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Text, Whole
from cmdb_server.api.resource import resource

BLUEPRINT = resource("search", __name__, "Search and counts")


class SearchSchema(TimesSchema):
    q = Text(
        required=True,
        validate=validate.Regexp(r"(?s).*\S", error="nothing to search for"),
        metadata={"description": "A name, serial number, address or part of an attribute", "pattern": r"\S"},
    )
    limit = Whole(1, 500, query=True, load_default=50)


class HitSchema(Schema):
    ci = fields.Nested(CiSummarySchema, required=True)
    matched = fields.String(required=True, metadata={"description": "name, an identifier's kind, or attribute:NAME"})


class HitsSchema(Schema):
    items = fields.List(fields.Nested(HitSchema), required=True)
    revision = fields.Integer(required=True)


class CountSchema(Schema):
    class_ = fields.String(required=True, data_key="class")
    count = fields.Integer(required=True)


class CountsSchema(Schema):
    items = fields.List(fields.Nested(CountSchema), required=True)
    revision = fields.Integer(required=True)


@BLUEPRINT.route("/search")
@requires("read")
@BLUEPRINT.arguments(SearchSchema, location="query")
@BLUEPRINT.response(200, HitsSchema)
def search(asked: dict[str, Any]) -> Response:
    """CIs whose name, identifiers, addresses or attributes hold the text; exact matches first."""
    revision = seen().revision()
    hits = inventory.search(
        seen(),
        viewer(),
        asked["q"],
        asked["limit"],
        asked["at"],
        asked["known_at"],
        projections=context().projections,
        now_ms=now_ms(),
    )
    return tagged(HitsSchema().dump({"items": hits, "revision": revision}), revision)


@BLUEPRINT.route("/counts")
@requires("read")
@BLUEPRINT.arguments(TimesSchema, location="query")
@BLUEPRINT.response(200, CountsSchema)
def counts(asked: dict[str, Any]) -> Response:
    """How many CIs there are of each class, most first."""
    revision = seen().revision()
    found = inventory.counts(seen(), viewer(), **asked)
    items = [{"class_": name, "count": count} for name, count in found.items()]
    return tagged(CountsSchema().dump({"items": items, "revision": revision}), revision)
