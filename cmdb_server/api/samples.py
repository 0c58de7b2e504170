"""What is measured of a CI: names, newest values, and their course."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate

from cmdb_server.answers.samples import RESOLUTIONS, of_ci, series
from cmdb_server.api.auth import requires, seen, viewer
from cmdb_server.api.ci_schemas import LatestSchema
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Instant, Text
from cmdb_server.api.resource import resource

BLUEPRINT = resource("samples", __name__, "Measured values over time")


class LatestOfCiSchema(Schema):
    ci = fields.UUID(required=True)
    items = fields.List(fields.Nested(LatestSchema), required=True)
    revision = fields.Integer(required=True)


class AskedSchema(Schema):
    from_ = Instant(data_key="from", load_default=None, metadata={"description": "Left out: a day before the end"})
    to = Instant(load_default=None, metadata={"description": "Left out: now"})
    resolution = fields.String(
        load_default=None,
        validate=validate.OneOf(RESOLUTIONS),
        metadata={"description": "Left out: the finest that is kept for so long and gives few points"},
    )
    source = Text(load_default=None, metadata={"description": "Left out: the one that told of it last"})


class PointSchema(Schema):
    at = Instant(required=True, metadata={"description": "When the bucket begins; at raw, of the sample"})
    count = fields.Integer(required=True, metadata={"description": "Samples in it"})
    min = fields.Float(required=True)
    max = fields.Float(required=True)
    mean = fields.Float(required=True)
    last = fields.Float(required=True)
    rate = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Of a counter, a second, since the point before; a counter that fell began anew"},
    )


class SeriesSchema(Schema):
    ci = fields.UUID(required=True)
    name = fields.String(required=True)
    source = fields.String(required=True)
    unit = fields.String(required=True, metadata={"description": "UCUM"})
    kind = fields.String(required=True, metadata={"enum": ["gauge", "counter"]})
    resolution = fields.String(required=True, metadata={"enum": list(RESOLUTIONS)})
    points = fields.List(fields.Nested(PointSchema), required=True)
    revision = fields.Integer(required=True)


_LATEST, _SERIES = LatestOfCiSchema(), SeriesSchema()


@BLUEPRINT.route("/cis/<uuid:ci>/samples")
@requires("read")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, LatestOfCiSchema)
def every(ci: UUID) -> Response:
    """What is measured of a CI and of its components, each with its newest value."""
    id_, items, revision = of_ci(seen(), viewer(), str(ci), now_ms=now_ms())
    return tagged(_LATEST.dump({"ci": id_, "items": items, "revision": revision}), revision)


@BLUEPRINT.route("/cis/<uuid:ci>/samples/<path:name>")
@requires("read")
@BLUEPRINT.arguments(AskedSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, SeriesSchema)
def one(asked: dict[str, Any], ci: UUID, name: str) -> Response:
    """The course of one measured value, from raw samples to a bucket a day."""
    told = series(
        seen(), viewer(), str(ci), name, asked["from_"], asked["to"], asked["resolution"], asked["source"],
        days=context().settings.sample_days, now_ms=now_ms(),
    )  # fmt: skip
    return tagged(_SERIES.dump(told), told.revision)
