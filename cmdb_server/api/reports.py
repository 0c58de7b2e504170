"""Where agents deliver what they saw."""

from __future__ import annotations

from typing import Any

import msgspec
from apispec import APISpec
from flask import request
from marshmallow import Schema, fields

from cmdb_schemas import report as wire
from cmdb_server.api.auth import caller, requires
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import WITHOUT_NUL
from cmdb_server.api.resource import BODY_REFUSALS, described, resource, take_body
from cmdb_server.errors import UnsupportedMediaType
from cmdb_server.ingest.pipeline import Ack, ingest

BLUEPRINT = resource("reports", __name__, "What agents deliver")
REF = "#/components/schemas/"


class AckSchema(Schema):
    """The report is taken in. An answer that tells a revision at least as new has seen it."""

    report = fields.String(required=True, metadata={"description": "The report's id"})
    revision = fields.Integer(required=True, metadata={"description": "The revision that holds it"})
    durable_revision = fields.Integer(
        required=True, metadata={"description": "The newest revision that survives the death of the machine"}
    )
    unchanged = fields.Boolean(required=True, metadata={"description": "Only its time was new"})
    duplicate = fields.Boolean(required=True, metadata={"description": "It had been taken in before"})
    observations = fields.Integer(required=True, metadata={"description": "How many observations were new or changed"})


@BLUEPRINT.route("/reports", methods=["POST"])
@requires("report")
@BLUEPRINT.doc(requestBody=described({"$ref": REF + "Report"}), responses=BODY_REFUSALS)
@BLUEPRINT.response(200, AckSchema, description="Taken in, and durable")
@BLUEPRINT.alt_response(202, schema=AckSchema, description="Taken in, not durable yet", success=True)
def deliver() -> tuple[Ack, int]:
    """Deliver one report.

    The same id again is acknowledged again and changes nothing. A refused report stores nothing.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType(f"Content-Type {request.mimetype or 'absent'!r} is not read; application/json is")
    running = context()
    body = take_body(running.settings.max_report)
    ack = ingest(running.store, body, caller(), now_ms(), running.kinds)
    outcome = "duplicate" if ack.duplicate else "unchanged" if ack.unchanged else "changed"
    running.metrics.reports.labels(outcome).inc()
    running.metrics.report_bytes.inc(len(body))
    return ack, 200 if ack.durable_revision >= ack.revision else 202


def describe_wire(spec: APISpec) -> None:
    """Put the shape of reports into the API's description, taken from the types that decode them."""
    _, components = msgspec.json.schema_components([wire.Report, wire.Content], ref_template=REF + "{name}")
    components["Report"]["properties"]["content"] = {"$ref": REF + "Content"}
    components["Report"]["properties"]["version"] = {"enum": list(range(wire.OLDEST_SERVED, wire.VERSION + 1))}
    for name in ("observed_at", "sent_at"):
        components["Report"]["properties"][name] = {"type": "string", "format": "date-time"}
    for name, schema in components.items():
        spec.components.schema(name, _as_decoded(schema))


def _as_decoded(schema: Any) -> Any:
    """A schema that says of texts and keys what the decoder says: no NUL. Titles, which repeat names, are left out."""
    if isinstance(schema, list):
        return [_as_decoded(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: _as_decoded(value) for key, value in schema.items() if key != "title" or isinstance(value, dict)}
    if told.get("type") == "string" and "format" not in told:
        told["pattern"] = WITHOUT_NUL
    if isinstance(told.get("additionalProperties"), dict):
        told["propertyNames"] = {"pattern": WITHOUT_NUL}
    return told
