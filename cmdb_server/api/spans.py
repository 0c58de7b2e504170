"""Stretches of time in questions and answers."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from cmdb_server.api.fields import Instant, rfc3339

EDGES = ("start", "end")


class SpanSchema(Schema):
    """From start, up to end but without it; no end: for ever."""

    start = Instant(required=True)
    end = Instant(load_default=None, allow_none=True)


class SpanToldSchema(Schema):
    start = Instant(required=True)
    end = Instant(required=True, allow_none=True)


class ServiceLevelSchema(SpanToldSchema):
    """Of a period: how many minutes the service may be down, how many are left, and after what is asked about."""

    target = fields.Float(required=True, metadata={"description": "Per cent of the service hours"})
    minutes = fields.Float(required=True)
    minutes_left = fields.Float(required=True)
    minutes_left_after = fields.Float(required=True, allow_none=True)


def timed(value: Any) -> Any:
    """Plain values with every start and end, in ms, as RFC 3339."""
    if isinstance(value, dict):
        return {
            name: rfc3339(inner) if name in EDGES and isinstance(inner, int) else timed(inner)
            for name, inner in value.items()
        }
    return [timed(inner) for inner in value] if isinstance(value, list) else value
