"""Every refusal as RFC 9457 problem+json, whoever made it: the server, the framework, or a fault nobody foresaw."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, json, request
from flask_smorest import Api
from marshmallow import INCLUDE, Schema, fields
from werkzeug.exceptions import HTTPException, NotFound

from cmdb_server.errors import CmdbError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/docs/problems#"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="cmdb"'}
LOG = logging.getLogger("cmdb.api")


class FieldErrorSchema(Schema):
    """One field that is wrong."""

    path = fields.String(required=True, metadata={"description": "The field, as in attributes.name or relations[0]"})
    message = fields.String(required=True)
    column = fields.Integer(metadata={"description": "Of a selector's text: where the fault is, counted from 1"})


class ProblemSchema(Schema):
    """RFC 9457 with what this server adds; some kinds have further members."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    request_id = fields.String(required=True, metadata={"description": "Names the request in the server's log"})
    errors = fields.List(fields.Nested(FieldErrorSchema))
    offset = fields.Integer(metadata={"description": "Bytes into the body"})


class ProblemApi(Api):  # type: ignore[misc]
    """flask-smorest's Api, answering and documenting errors as problems."""

    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Response:
        return problem_of_http(error)

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            response: dict[str, Any] = {"description": status.phrase}
            if status >= 400:
                response["content"] = {MEDIA_TYPE: {"schema": self.ERROR_SCHEMA}}
            self.spec.components.response(status.name, response, lazy=True)
        default = {"description": "Any other refusal", "content": {MEDIA_TYPE: {"schema": self.ERROR_SCHEMA}}}
        self.spec.components.response("DEFAULT_ERROR", default, lazy=True)


def register(app: Flask) -> None:
    """Have the app answer every exception as a problem."""
    app.register_error_handler(CmdbError, problem_of_error)
    app.register_error_handler(HTTPException, problem_of_http)
    app.register_error_handler(Exception, problem_of_fault)


def problem_of_error(error: CmdbError) -> Response:
    """The server's own refusals. Those of status 500 tell the log what the caller is not told."""
    extra = dict(error.extra)
    headers = extra.pop("headers", {})
    if error.status == 401:
        headers = CHALLENGE | headers
    if error.status == 500:
        LOG.error("%s: %s", error.slug, error.detail)
        return _problem(500, CmdbError.slug, CmdbError.title, CmdbError.title, {}, {})
    return _problem(error.status, error.slug, error.title, error.detail, extra, headers)


def problem_of_http(error: HTTPException) -> Response:
    """The framework's refusals, their headers (Allow, Location) kept."""
    status = error.code or 500
    phrase = HTTPStatus(status).phrase
    if 300 <= status < 400:
        return error.get_response()  # type: ignore[return-value]
    headers = {k: v for k, v in error.get_headers() if k.lower() not in ("content-type", "content-length")}
    detail, extra = error.description or phrase, {}
    if detail == NotFound.description:
        detail = f"there is nothing at {request.path}"  # no handler's own words: nothing is routed there
    if messages := getattr(error, "data", {}).get("messages"):
        faults = list(field_errors(messages))
        detail, extra = "; ".join(f"{fault['path']}: {fault['message']}" for fault in faults[:5]), {"errors": faults}
    slug, title = _KNOWN.get(status, (phrase.lower().replace(" ", "-"), phrase))
    return _problem(status, slug, title, detail, extra, headers)


def problem_of_fault(error: Exception) -> Response:
    """What nobody foresaw: the log gets everything, the caller only the request's id to ask about."""
    LOG.error("unexpected %s", type(error).__name__, exc_info=error)
    return _problem(500, CmdbError.slug, CmdbError.title, "The server failed. Its log tells more.", {}, {})


def field_errors(messages: Any, path: str = "") -> Iterator[dict[str, str]]:
    """marshmallow's nested messages as flat ``{path, message}``; the location (json, query) is no part of a path."""
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            if not path and key in ("json", "query", "headers", "path"):
                yield from field_errors(below, "")
            else:
                yield from field_errors(below, _joined(path, key))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield {"path": path, "message": str(message)}


def _joined(path: str, key: object) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    if key == "_schema":
        return path
    return f"{path}.{key}" if path else str(key)


def _problem(
    status: int, slug: str, title: str, detail: str, extra: Mapping[str, Any], headers: Mapping[str, str]
) -> Response:
    body = {
        "type": TYPE_PREFIX + slug,
        "title": title,
        "status": status,
        "detail": _printable(detail),
        "request_id": g.get("request_id", ""),
        **extra,
    }
    return Response(json.dumps(body), status, dict(headers), content_type=MEDIA_TYPE)


def _printable(text: str) -> str:
    """A detail may quote what was sent; it is cut, and what cannot be encoded is escaped."""
    return text[:2000].encode("utf-8", "backslashreplace").decode("utf-8")


def subclasses(error: type[CmdbError]) -> Iterator[type[CmdbError]]:
    """An error and all those derived from it."""
    yield error
    for derived in error.__subclasses__():
        yield from subclasses(derived)


_KNOWN = {error.status: (error.slug, error.title) for error in reversed(list(subclasses(CmdbError)))}
