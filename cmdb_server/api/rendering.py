"""Answers in other formats than JSON: as ``format`` says, or without it as Accept does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields, validate

from cmdb_server.answers.render.formats import rendered
from cmdb_server.answers.render.html import POLICY
from cmdb_server.answers.render.media import FORMATS, MEDIA, REPORTS, SUFFIX
from cmdb_server.api.conditional import tagged, tagged_text
from cmdb_server.api.resource import Decorator

JSON = "application/json"
_TEXT = "JSON, a report or a drawing; without it, what the header Accept prefers"


class ReportedSchema(Schema):
    """A question whose answer can be had as a report."""

    format = fields.String(
        load_default=None, validate=validate.OneOf(("json", *REPORTS)), metadata={"description": _TEXT}
    )


class DrawnSchema(Schema):
    """A question whose answer can be had as a report or a drawing."""

    format = fields.String(
        load_default=None, validate=validate.OneOf(("json", *FORMATS)), metadata={"description": _TEXT}
    )


def described(doc: Callable[..., Decorator], formats: tuple[str, ...] = FORMATS) -> Decorator:
    """Tells of the formats in the description of an operation; ``doc``: its blueprint's."""
    content = {MEDIA[format_]: {"schema": {"type": "string"}} for format_ in formats}
    return doc(responses={200: {"content": content}})


def answered(
    told: Callable[[], Any], as_json: Callable[[], Any], revision: int, asked: str | None, name: str,
    formats: tuple[str, ...] = FORMATS,
) -> Response:  # fmt: skip
    """The answer in the format that was ``asked`` for. ``told``: the answer, or its report; ``as_json``: the same as
    JSON has it; ``name``: of the file."""
    format_ = asked or _accepted(formats)
    if format_ == "json":
        response = tagged(as_json(), revision)
    else:
        headers = {"Content-Disposition": f'attachment; filename="{name}.{SUFFIX[format_]}"'}
        if format_ == "html":
            headers["Content-Security-Policy"] = f"{POLICY}; frame-ancestors 'none'; sandbox"
        media = MEDIA[format_] + ("; charset=utf-8" if MEDIA[format_].startswith("text/") else "")
        response = tagged_text(rendered(told(), format_), media, revision, headers=headers)
    response.vary.add("Accept")
    return response


def _accepted(formats: tuple[str, ...]) -> str:
    """The format that Accept likes best; JSON where it likes none of them better."""
    by_media = {JSON: "json", **{MEDIA[format_]: format_ for format_ in formats}}
    return by_media[request.accept_mimetypes.best_match(by_media, JSON) or JSON]
