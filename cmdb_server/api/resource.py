"""What every resource's blueprint does alike: bodies within their limits, unknown fields refused, errors as documented."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from flask import Request, g, request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema
from webargs import core
from webargs.flaskparser import FlaskParser

from cmdb_server.api import auth
from cmdb_server.api.body import Limits, json_value, read_body, text_fault
from cmdb_server.api.context import context
from cmdb_server.errors import Invalid, UnsupportedMediaType

View = Callable[..., Any]
Decorator = Callable[[View], View]
PREFIX = "/api/v1"
QUERY_REFUSALS = {410: "GONE", 422: "UNPROCESSABLE_ENTITY"}
BODY_REFUSALS = {
    400: "BAD_REQUEST",
    410: "GONE",
    413: "REQUEST_ENTITY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
}


def take_body(size: int) -> bytes:
    """The request's body of at most ``size`` bytes, decompressed and counted for the caller's quota."""
    settings = context().settings
    limits = Limits(size, settings.max_ratio, settings.max_depth)
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    auth.charge(0)
    body = read_body(request.stream, encoding, limits, request.content_length)
    auth.charge(len(body))
    return body


class Parser(FlaskParser):
    """webargs, reading bodies and query strings by this server's rules."""

    DEFAULT_UNKNOWN_BY_LOCATION: ClassVar[dict[str, str | None]] = {  # type: ignore[misc]
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": RAISE,
        "json": RAISE,
    }

    def load_json(self, req: Request, schema: Schema) -> Any:
        if req.mimetype != "application/json":
            raise UnsupportedMediaType(f"Content-Type {req.mimetype or 'absent'!r} is not read; application/json is")
        settings = context().settings
        body = take_body(settings.max_report if getattr(schema, "large", False) else settings.max_body)
        if not body:
            return core.missing
        said = json_value(body, settings.max_depth)
        g.said = said if isinstance(said, dict) else {}
        return said

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        for name, value in req.args.items(multi=True):
            if (fault := text_fault(name + value)) is not None:
                raise Invalid(f"{name}: {fault}", errors=[{"path": name, "message": fault}])
        return super().load_querystring(req, schema)


class Resource(Blueprint):  # type: ignore[misc]
    """A blueprint of the API."""

    ARGUMENTS_PARSER = Parser()

    def arguments(self, schema: Any, *, location: str = "json", **options: Any) -> Decorator:
        """As flask-smorest's; a body's refusals are part of the description."""
        outer: Decorator = super().arguments(schema, location=location, **options)
        if location != "json":
            return lambda view: outer(self.doc(responses=QUERY_REFUSALS)(view))
        return lambda view: outer(self.doc(responses=BODY_REFUSALS)(view))

    def route(self, rule: str, **options: Any) -> Decorator:
        """As flask-smorest's, typed."""
        decorator: Decorator = super().route(rule, **options)
        return decorator

    def response(self, status_code: int, schema: Any = None, **options: Any) -> Decorator:
        """As flask-smorest's, typed."""
        decorator: Decorator = super().response(status_code, schema, **options)
        return decorator

    def alt_response(self, status_code: int, response: str | None = None, **options: Any) -> Decorator:
        """As flask-smorest's, typed."""
        decorator: Decorator = super().alt_response(status_code, response, **options)
        return decorator

    def doc(self, *, parameters: Iterable[Mapping[str, Any]] = (), **described: Any) -> Decorator:
        """As flask-smorest's, but for ``parameters``: they join those of the arguments, which they would replace."""
        outer: Decorator = super().doc(**described)

        def decorator(view: View) -> View:
            told = outer(view)
            if parameters:
                told._apidoc.setdefault("arguments", {}).setdefault("parameters", []).extend(parameters)  # type: ignore[attr-defined]
            return told

        return decorator


def resource(name: str, import_name: str, description: str, prefix: str = PREFIX) -> Resource:
    """An empty blueprint below the API's prefix."""
    return Resource(name, import_name, url_prefix=prefix, description=description)


def described(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema as a request body in the API's description."""
    return {"required": True, "content": {"application/json": {"schema": dict(schema)}}}
