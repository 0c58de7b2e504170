"""Any selection as a file."""

from __future__ import annotations

from typing import Any

from flask import Response, stream_with_context
from marshmallow import fields, validate

from cmdb_server.answers.export import FORMATS, MEDIA, Selection, export
from cmdb_server.api.asking import TimesSchema
from cmdb_server.api.auth import requires, seen, viewer
from cmdb_server.api.cis import LONGEST, selection
from cmdb_server.api.context import now_ms
from cmdb_server.api.fields import Text
from cmdb_server.api.resource import resource

BLUEPRINT = resource("exports", __name__, "Selections as files")


class ExportSchema(TimesSchema):
    select = Text(longest=LONGEST, metadata={"description": "A selector (docs/selectors.md); left out: everything"})
    format = fields.String(required=True, validate=validate.OneOf(FORMATS))


@BLUEPRINT.route("/exports")
@requires("read")
@BLUEPRINT.arguments(ExportSchema, location="query")
@BLUEPRINT.doc(
    responses={
        200: {
            "description": "The file, sent as it is read",
            "content": {media.partition(";")[0]: {"schema": {"type": "string"}} for media in MEDIA.values()},
        }
    }
)
def one(asked: dict[str, Any]) -> Response:
    """The selected CIs as CSV (formulas neutralised), JSON lines (relations included) or GraphML (with the relations
    among the selected)."""
    chosen = Selection(
        seen(), viewer(), selection(asked.get("select")), now_ms(), asked["at"], asked["known_at"]
    )  # fmt: skip
    pieces = export(chosen, asked["format"])
    headers = {"Content-Disposition": f'attachment; filename="cis.{asked["format"]}"'}
    return Response(stream_with_context(pieces), mimetype=None, content_type=MEDIA[asked["format"]], headers=headers)
