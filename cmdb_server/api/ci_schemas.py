"""How CIs and relations look from outside."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from cmdb_server.api.fields import Instant

STAGES = ("current", "ageing", "missing", "retired")


class CiSummarySchema(Schema):
    id = fields.UUID(required=True)
    class_ = fields.String(required=True, data_key="class")
    name = fields.String(required=True)
    parent = fields.Function(
        lambda ci: ci.parent or None,
        metadata={"type": ["string", "null"], "description": "The CI it is a component of"},
    )
    life = fields.String(required=True, attribute="stage", metadata={"enum": STAGES})
    site = fields.String(required=True)
    first_discovered = Instant(required=True)
    last_discovered = Instant(allow_none=True, metadata={"description": "null where only people tell of it"})
    revision = fields.Integer(required=True, metadata={"description": "The one that changed it last"})
    attributes = fields.Dict(required=True)


class RelationViewSchema(Schema):
    """One relation as seen from one CI. ``label`` is the type, or its reverse name for an incoming one."""

    type = fields.String(required=True)
    label = fields.String(required=True)
    incoming = fields.Boolean(required=True)
    other = fields.String(required=True, metadata={"description": "Its id; hidden-... for one that you do not see"})
    other_class = fields.String(required=True, allow_none=True)
    other_name = fields.String(required=True, allow_none=True)
    group = fields.String(allow_none=True)
    confidence = fields.Float(required=True)
    claims = fields.Integer(required=True, metadata={"description": "Sightings behind it; 0 follows from the class"})
    transient = fields.Boolean(
        required=True, allow_none=True, metadata={"description": "Seen only in passing; null for the past"}
    )


class OpenEndSchema(Schema):
    type = fields.String(required=True)
    far = fields.String(required=True)
    port = fields.Integer(allow_none=True)
    evidence = fields.String()


class SourceSchema(Schema):
    record = fields.String(required=True)
    source = fields.String(required=True)
    site = fields.String(required=True)
    target = fields.String(required=True)
    agent = fields.String(required=True)
    first = Instant(required=True)
    last = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)


class LatestSchema(Schema):
    """The newest value of something that moves at every scan, outside of the history."""

    name = fields.String(required=True)
    source = fields.String(required=True)
    component = fields.UUID(required=True, allow_none=True, metadata={"description": "null: of the CI itself"})
    component_name = fields.String(required=True)
    value = fields.Float(required=True)
    unit = fields.String(required=True, metadata={"description": "UCUM"})
    kind = fields.String(required=True, metadata={"enum": ["gauge", "counter"]})
    at = Instant(required=True, metadata={"description": "When its report was observed"})
    told_at = fields.String(required=True, allow_none=True, metadata={"description": "The sample's own time, as told"})


class LinksSchema(Schema):
    self = fields.String(required=True)
    samples = fields.String(required=True)
    explain = fields.String(required=True)
    relations = fields.String(required=True)
    impact = fields.String(required=True)


class CiSchema(CiSummarySchema):
    components = fields.List(fields.Nested(CiSummarySchema))
    relations = fields.List(fields.Nested(RelationViewSchema))
    open_ends = fields.List(fields.Nested(OpenEndSchema), metadata={"description": "Relations without a known far end"})
    sources = fields.List(fields.Nested(SourceSchema), metadata={"description": "Who saw it where, and when"})
    samples = fields.List(fields.Nested(LatestSchema), metadata={"description": "The newest measured values"})
    links = fields.Nested(LinksSchema)


class CiPageSchema(Schema):
    items = fields.List(fields.Nested(CiSummarySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    revision = fields.Integer(required=True, metadata={"description": "What the page was read at"})


def links(ci: str) -> dict[str, str]:
    """Where more about a CI is."""
    here = f"/api/v1/cis/{ci}"
    return {
        "self": here,
        "samples": f"{here}/samples",
        "explain": f"{here}/explain",
        "relations": f"{here}/relations",
        "impact": f"/api/v1/impact?failed={ci}",
    }


_SUMMARY, _CI = CiSummarySchema(), CiSchema(exclude=tuple(CiSummarySchema().fields))


def whole(answer: Any) -> dict[str, Any]:
    """A ``CiAnswer`` as JSON."""
    told: dict[str, Any] = _SUMMARY.dump(answer.summary) | _CI.dump(answer) | {"links": links(answer.id)}
    return told
