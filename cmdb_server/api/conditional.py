"""Entity tags: an answer that a client has already is 304, an edit of what changed meanwhile is 412."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from flask import Response, json, request

from cmdb_server.errors import PreconditionFailed, PreconditionRequired

_TAG = re.compile(r"(\d{1,18})-[0-9a-f]{16}", re.ASCII)


def tagged(body: Any, revision: int, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer with its ETag, ``REVISION-DIGEST``, or 304 when the request bears that tag. ``revision``: that
    of the thing answered, so that a sighting alone is no obstacle to an edit."""
    return tagged_text(json.dumps(body), "application/json", revision, status, headers)


def tagged_text(
    text: str, media: str, revision: int, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """The same for an answer that is a text of that media type."""
    response = Response(text, status, headers, content_type=media)
    response.set_etag(f"{revision}-{hashlib.sha256(text.encode()).hexdigest()[:16]}")
    if status == 200:
        response.make_conditional(request)
    return response


def expected_revision(current: int) -> int:
    """The revision that the request's If-Match was made for; ``*`` is the current one. Raises PreconditionRequired
    without one, PreconditionFailed for a tag that was never given out."""
    if "If-Match" not in request.headers:
        raise PreconditionRequired("send If-Match with the ETag of what you edit")
    if request.if_match.star_tag:
        return current
    revisions = [int(found[1]) for tag in request.if_match if (found := _TAG.fullmatch(tag))]
    if not revisions:
        raise PreconditionFailed("If-Match holds no ETag of this server")
    return current if current in revisions else revisions[0]
