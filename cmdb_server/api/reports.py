"""Where agents deliver what they saw."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from apispec import APISpec
from flask import Response, request
from marshmallow import Schema, fields

from cmdb_schemas import report as wire
from cmdb_server.api.auth import caller, requires
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import WITHOUT_NUL
from cmdb_server.api.resource import BODY_REFUSALS, described, resource, take_body
from cmdb_server.errors import UnsupportedMediaType
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.ingest.rehearsal import rehearse

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


class DeliverSchema(Schema):
    dry_run = fields.Boolean(load_default=False, metadata={"description": "Tell what it would do, and store nothing"})


class CiChangeSchema(Schema):
    change = fields.String(required=True, metadata={"description": "create, change, end, return, merge or remove"})
    id = fields.String(required=True)
    class_ = fields.String(required=True, data_key="class")
    name = fields.String(required=True)
    values = fields.Function(
        lambda one: {name: {"before": old, "after": new} for name, (old, new) in one.values.items()},
        metadata={"type": "object"},
    )
    into = fields.String(allow_none=True, metadata={"description": "The CI that a merged one would be part of"})


class RelationChangeSchema(Schema):
    change = fields.String(required=True, metadata={"description": "create, change or remove"})
    from_ci = fields.String(required=True, data_key="from")
    type = fields.String(required=True)
    to_ci = fields.String(required=True, data_key="to")


class RehearsalSchema(Schema):
    """What a report would do. ``counts``: of CIs, by what would happen to them."""

    dry_run = fields.Constant(True, metadata={"type": "boolean"})
    report = fields.String(required=True)
    revision = fields.Integer(required=True, metadata={"description": "The state it was tried on"})
    unchanged = fields.Boolean(required=True)
    duplicate = fields.Boolean(required=True)
    observations = fields.Integer(required=True)
    counts = fields.Function(
        lambda told: dict(sorted(Counter(one.change for one in told.cis).items())), metadata={"type": "object"}
    )
    cis = fields.List(fields.Nested(CiChangeSchema), required=True)
    relations = fields.List(fields.Nested(RelationChangeSchema), required=True)
    tasks = fields.Function(
        lambda told: [{"kind": kind, "subject": subject} for kind, subject in told.tasks],
        metadata={"type": "array", "items": {"type": "object"}, "description": "Tasks that it would open"},
    )


_ACK, _REHEARSAL = AckSchema(), RehearsalSchema()
ANSWER = {
    "description": "Taken in, and durable; or what it would do",
    "content": {"application/json": {"schema": {"oneOf": [{"$ref": REF + "Ack"}, {"$ref": REF + "Rehearsal"}]}}},
}


@BLUEPRINT.route("/reports", methods=["POST"])
@requires("report")
@BLUEPRINT.arguments(DeliverSchema, location="query")
@BLUEPRINT.doc(requestBody=described({"$ref": REF + "Report"}), responses=BODY_REFUSALS | {200: ANSWER})
@BLUEPRINT.alt_response(202, schema=AckSchema, description="Taken in, not durable yet", success=True)
def deliver(asked: dict[str, Any]) -> tuple[dict[str, Any], int] | Response:
    """Deliver one report.

    The same id again is acknowledged again and changes nothing. A refused report stores nothing. With ``dry_run`` the
    answer tells what the report would do.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType(f"Content-Type {request.mimetype or 'absent'!r} is not read; application/json is")
    running = context()
    body = take_body(running.settings.max_report)
    if asked["dry_run"]:
        told = rehearse(running.store, body, caller(), now_ms(), running.kinds)
        return tagged(_REHEARSAL.dump(told), told.revision)
    ack = ingest(running.store, body, caller(), now_ms(), running.kinds)
    outcome = "duplicate" if ack.duplicate else "unchanged" if ack.unchanged else "changed"
    running.metrics.reports.labels(outcome).inc()
    running.metrics.report_bytes.inc(len(body))
    return _ACK.dump(ack), 200 if ack.durable_revision >= ack.revision else 202


def describe_wire(spec: APISpec) -> None:
    """Put the shape of reports into the API's description, taken from the types that decode them."""
    spec.components.schema("Rehearsal", schema=RehearsalSchema)
    _, components = msgspec.json.schema_components([wire.Report, wire.Content], ref_template=REF + "{name}")
    components["Report"]["properties"]["content"] = {"$ref": REF + "Content"}
    components["Report"]["properties"]["version"] = {"enum": list(range(wire.OLDEST_SERVED, wire.VERSION + 1))}
    for name in ("observed_at", "sent_at"):
        components["Report"]["properties"][name] |= {"format": "date-time"}
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
        told["propertyNames"] = {**told.get("propertyNames", {}), "pattern": WITHOUT_NUL}
    return told
