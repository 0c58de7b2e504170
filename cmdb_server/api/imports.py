"""Files that are imported: checked first, then taken in as one report of a source of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
from flask import Response, request, stream_with_context
from marshmallow import Schema, fields, validate

from cmdb_server.api.auth import caller, requires, seen
from cmdb_server.api.body import text_fault
from cmdb_server.api.context import context, now_ms
from cmdb_server.api.fields import Text
from cmdb_server.api.resource import BODY_REFUSALS, resource, take_body
from cmdb_server.errors import CmdbError, Invalid, Malformed, UnsupportedMediaType
from cmdb_server.practices.imports.bring import NAME, Import, Outcome, Progress, bring
from cmdb_server.practices.imports.formats import formats
from cmdb_server.practices.imports.preview import Does

BLUEPRINT = resource("imports", __name__, "Imports from files")
LINES = "application/x-ndjson"
MEDIA = sorted({"text/plain", "application/octet-stream", *(format_.media for format_ in formats().values())})


_HOST = "Whose software a bill of materials lists: a CI's id, its name, or an identifier as kind=value"


class ImportSchema(Schema):
    name = fields.String(
        required=True,
        validate=validate.Regexp(
            rf"^{NAME.pattern}$", error="must be lower-case letters, digits, dots, hyphens and underscores"
        ),
        metadata={"description": "What this source is called: import:NAME"},
    )
    format = fields.String(required=True, validate=validate.OneOf(sorted(formats())))
    host = Text(load_default="", shortest=0, metadata={"description": _HOST})
    complete = fields.Boolean(load_default=False, metadata={"description": "What the file no longer has, ends"})
    skip_faults = fields.Boolean(load_default=False, metadata={"description": "Import what has no fault all the same"})
    dry_run = fields.Boolean(load_default=False, metadata={"description": "Check and compare, and change nothing"})


class FaultSchema(Schema):
    row = fields.Integer(required=True, metadata={"description": "0: the file as a whole"})
    column = fields.String(required=True)
    message = fields.String(required=True)


class RowSchema(Schema):
    """What would become of a row."""

    row = fields.Integer(required=True)
    does = fields.String(required=True, validate=validate.OneOf(get_args(Does)))
    ci = fields.String(required=True, allow_none=True, metadata={"description": "null: one that you do not see"})
    class_ = fields.String(required=True, data_key="class")
    name = fields.String(required=True)
    values = fields.Dict(
        keys=fields.String(), required=True, metadata={"description": "Of what is changed: attribute -> [now, then]"}
    )
    by = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "What it has in common with what was there: kind of identifier -> values"},
    )


class OutcomeSchema(Schema):
    """What an import did, or would do. Things are counted with all their components."""

    applied = fields.Boolean(required=True)
    revision = fields.Integer(required=True, allow_none=True)
    rows = fields.Integer(required=True)
    new = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    ended = fields.Integer(required=True)
    faults = fields.List(fields.Nested(FaultSchema), required=True)
    preview = fields.List(
        fields.Nested(RowSchema),
        required=True,
        metadata={"description": "Each row, where nothing is applied because ``dry_run`` asks for it"},
    )


_OUTCOME = OutcomeSchema()


@BLUEPRINT.route("/imports", methods=["POST"])
@requires("declare")
@BLUEPRINT.arguments(ImportSchema, location="query")
@BLUEPRINT.doc(
    requestBody={"required": True, "content": {media: {"schema": {}} for media in MEDIA}},
    responses=BODY_REFUSALS,
)
@BLUEPRINT.response(200, OutcomeSchema)
def take(asked: dict[str, Any]) -> Any:
    """Import a file, all of it or nothing, unless ``skip_faults``.

    With ``dry_run`` the answer is a preview with the faults of every row. Where ``application/x-ndjson`` is accepted,
    the progress is told as it goes, one JSON object a line, the outcome last.
    """
    dry_run = asked.pop("dry_run")
    told = bring(
        seen(), Import(text=_text(), **asked), caller().subject, context().kinds, now_ms(), dry_run=dry_run
    )  # fmt: skip
    if request.accept_mimetypes.best == LINES:
        return Response(stream_with_context(_lines(told)), mimetype=LINES)
    *_, outcome = told
    assert isinstance(outcome, Outcome)
    if outcome.faults and not dry_run and not outcome.applied:
        raise Invalid(
            f"{len(outcome.faults)} faults, nothing was imported; the first is in row {outcome.faults[0].row}",
            errors=[
                {"path": f"row {one.row}" + (f", {one.column}" if one.column else ""), "message": one.message}
                for one in outcome.faults
            ],
        )
    return outcome


def _text() -> str:
    if request.mimetype not in MEDIA:
        raise UnsupportedMediaType(f"Content-Type {request.mimetype or 'absent'!r} is not read; {', '.join(MEDIA)} are")
    body = take_body(context().settings.max_report)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"invalid UTF-8 at byte {error.start}: {error.reason}", offset=error.start) from None
    if (fault := text_fault(text)) is not None:
        raise Malformed(f"the file {fault}")
    return text


def _lines(told: Iterator[Progress | Outcome]) -> Iterator[bytes]:
    try:
        for one in told:
            line = {"stage": one.stage, "done": one.done} if isinstance(one, Progress) else _OUTCOME.dump(one)
            yield msgspec.json.encode(line) + b"\n"
    except CmdbError as error:
        yield msgspec.json.encode({"status": error.status, "title": error.title, "detail": error.detail}) + b"\n"
