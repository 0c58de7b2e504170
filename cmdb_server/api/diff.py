"""What differs between two times."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from cmdb_server.answers.diff import CHANGES, DiffPage, Moment, diff
from cmdb_server.answers.render.diff_report import diff_report
from cmdb_server.answers.render.media import REPORTS
from cmdb_server.api.asking import ListingSchema, cursor_of, opaque
from cmdb_server.api.auth import requires, seen, viewer
from cmdb_server.api.fields import Instant, Text
from cmdb_server.api.rendering import ReportedSchema, answered, described
from cmdb_server.api.resource import resource

BLUEPRINT = resource("diff", __name__, "What differs between two times")


class DetailsSchema(ListingSchema, ReportedSchema):
    """How a list of differences is narrowed and paged."""

    change = fields.String(load_default=None, validate=validate.OneOf(CHANGES))
    class_ = Text(data_key="class", load_default=None, metadata={"description": "The class, or a relation's type"})


class AskedSchema(DetailsSchema):
    from_ = Instant(data_key="from", required=True, metadata={"description": "How things were then"})
    to = Instant(load_default=None, metadata={"description": "and then; left out: now"})
    from_known_at = Instant(load_default=None, metadata={"description": "As far as had been told by then"})
    to_known_at = Instant(load_default=None)


class DifferenceCountSchema(Schema):
    kind = fields.String(required=True)
    class_ = fields.String(required=True, data_key="class")
    change = fields.String(required=True, metadata={"enum": list(CHANGES)})
    count = fields.Integer(required=True)


class DifferenceSchema(Schema):
    kind = fields.String(required=True, metadata={"enum": ["ci", "relation"]})
    change = fields.String(required=True, metadata={"enum": list(CHANGES)})
    id = fields.List(fields.String(), required=True)
    class_ = fields.String(required=True, data_key="class")
    name = fields.String(required=True)
    values = fields.Function(
        lambda one: {name: {"before": old, "after": new} for name, (old, new) in one.values.items()},
        metadata={"type": "object"},
    )
    into = fields.String(allow_none=True, metadata={"description": "The CI that a merged one is part of"})


class DiffSchema(Schema):
    counts = fields.List(
        fields.Nested(DifferenceCountSchema), required=True, metadata={"description": "Of all differences"}
    )
    items = fields.List(fields.Nested(DifferenceSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    revision = fields.Integer(required=True)


_DIFF = DiffSchema()


@BLUEPRINT.route("/diff")
@requires("read")
@BLUEPRINT.arguments(AskedSchema, location="query")
@BLUEPRINT.response(200, DiffSchema)
@described(BLUEPRINT.doc, REPORTS)
def between(asked: dict[str, Any]) -> Response:
    """CIs and relations that differ between two times: counts of all, and the differences page by page."""
    before, after = (Moment(asked[end], asked[f"{end.rstrip('_')}_known_at"]) for end in ("from_", "to"))
    return differing(asked, before, after)


def differing(asked: dict[str, Any], before: Moment, after: Moment) -> Response:
    """What differs between two moments, narrowed and paged as ``DetailsSchema`` says."""
    page = diff(
        seen(), viewer(), before, after, asked["change"], asked["class_"], cursor_of(asked["cursor"]),
        asked["limit"],
    )  # fmt: skip
    return answered(
        lambda: diff_report(page, before, after), lambda: whole(page), page.revision, asked["format"], "diff", REPORTS
    )


def whole(page: DiffPage) -> dict[str, Any]:
    """A ``DiffPage`` as JSON."""
    counts = [
        {"kind": kind, "class_": class_, "change": change, "count": count}
        for (kind, class_, change), count in sorted(page.counts.items())
    ]
    told: dict[str, Any] = _DIFF.dump(
        {"counts": counts, "items": page.items, "next_cursor": opaque(page.cursor), "revision": page.revision}
    )
    return told
