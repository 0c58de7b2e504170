"""The API's documentation, served from this server alone: no script or style of anyone else's, and none inline."""

from __future__ import annotations

from html import escape
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, send_from_directory

from cmdb_server.api.problem import subclasses
from cmdb_server.errors import CmdbError, NotFound

BLUEPRINT = Blueprint("docs", __name__, url_prefix="/docs")
ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"
SERVED = ("swagger-ui-bundle.js", "swagger-ui.css", "index.css", "favicon-16x16.png", "favicon-32x32.png")

_HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>CMDB API</title>'
_PAGE = (
    f'{_HEAD}<link rel="stylesheet" href="/docs/assets/swagger-ui.css">'
    '<link rel="stylesheet" href="/docs/assets/index.css">'
    '<link rel="icon" type="image/png" href="/docs/assets/favicon-32x32.png">'
    '</head><body><div id="swagger-ui"></div>'
    '<script src="/docs/assets/swagger-ui-bundle.js"></script><script src="/docs/init.js"></script></body></html>\n'
)
_INIT = """window.addEventListener("load", function () {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
  });
});
"""


@BLUEPRINT.get("")
def page() -> Response:
    """The interactive description of the API."""
    return Response(_PAGE, mimetype="text/html")


@BLUEPRINT.get("/init.js")
def init() -> Response:
    """What starts it, as a file, since inline script is forbidden."""
    return Response(_INIT, mimetype="text/javascript")


@BLUEPRINT.get("/assets/<string:name>")
def asset(name: str) -> Response:
    """One of Swagger UI's files, as its wheel holds them."""
    if name not in SERVED:
        raise NotFound(f"there is no file {name!r}")
    return send_from_directory(ASSETS, name, max_age=86_400)


@BLUEPRINT.get("/problems")
def problems() -> Response:
    """What a problem's ``type`` points to."""
    kinds = {error.slug: error for error in subclasses(CmdbError)}
    rows = "".join(
        f'<dt id="{slug}">{error.status} {slug}</dt><dd>{escape(error.title)}</dd>'
        for slug, error in sorted(kinds.items(), key=lambda item: (item[1].status, item[0]))
    )
    return Response(f"{_HEAD}</head><body><h1>Problems</h1><dl>{rows}</dl></body></html>\n", mimetype="text/html")
