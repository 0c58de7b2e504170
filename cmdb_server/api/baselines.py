"""States of the graph by name, and what has drifted from them."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from cmdb_server.answers.diff import Moment
from cmdb_server.answers.render.media import REPORTS
from cmdb_server.api.auth import caller, requires, seen
from cmdb_server.api.context import now_ms
from cmdb_server.api.diff import DetailsSchema, DiffSchema, differing
from cmdb_server.api.fields import Instant, Text
from cmdb_server.api.rendering import described
from cmdb_server.api.resource import resource
from cmdb_server.practices import baselines

BLUEPRINT = resource("baselines", __name__, "States of the graph by name")


NAME = r"^[^\u0000/.][^\u0000/]*$"
"""A name is a segment of a path."""


class NewBaselineSchema(Schema):
    name = Text(
        required=True,
        validate=validate.Regexp(NAME, error="must not begin with a dot or hold a slash"),
        metadata={"pattern": NAME},
    )
    at = Instant(load_default=None, allow_none=True, metadata={"description": "How things were then; left out: now"})
    note = Text(load_default="", shortest=0, longest=4096)


class BaselineSchema(Schema):
    name = fields.String(required=True)
    at = Instant(required=True)
    revision = fields.Integer(required=True, metadata={"description": "As known in this revision"})
    subject = fields.String(required=True, metadata={"description": "Who named it"})
    made_at = Instant(required=True)
    note = fields.String(required=True)


class DriftSchema(DetailsSchema):
    to = Instant(load_default=None, metadata={"description": "Compared with how things were then; left out: now"})


@BLUEPRINT.route("/baselines", methods=["POST"])
@requires("declare")
@BLUEPRINT.arguments(NewBaselineSchema)
@BLUEPRINT.doc(responses={409: "CONFLICT"})
@BLUEPRINT.response(201, BaselineSchema)
def make(wanted: dict[str, Any]) -> baselines.Baseline:
    """Name a state: how things are, or were, as far as is known now."""
    return baselines.make(seen(), wanted["name"], caller().subject, wanted["note"], wanted["at"], now_ms=now_ms())


@BLUEPRINT.route("/baselines")
@requires("read")
@BLUEPRINT.response(200, BaselineSchema(many=True))
def every() -> list[baselines.Baseline]:
    """All baselines, by name."""
    return baselines.every(seen())


@BLUEPRINT.route("/baselines/<name>")
@requires("read")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, BaselineSchema)
def one(name: str) -> baselines.Baseline:
    """One baseline."""
    return baselines.one(seen(), name)


@BLUEPRINT.route("/baselines/<name>", methods=["DELETE"])
@requires("declare")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, BaselineSchema)
def remove(name: str) -> baselines.Baseline:
    """Forget the name. The history stays as it is."""
    return baselines.remove(seen(), name)


@BLUEPRINT.route("/baselines/<name>/drift")
@requires("read")
@BLUEPRINT.arguments(DriftSchema, location="query")
@BLUEPRINT.doc(responses={404: "NOT_FOUND"})
@BLUEPRINT.response(200, DiffSchema)
@described(BLUEPRINT.doc, REPORTS)
def drift(asked: dict[str, Any], name: str) -> Response:
    """What has changed since the baseline: counts of all, and the differences page by page."""
    base = baselines.one(seen(), name)
    return differing(asked, Moment(base.at, revision=base.revision), Moment(asked["to"]))
