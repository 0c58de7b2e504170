"""One hierarchy of errors. Each has an HTTP status and a slug, and is sent as RFC 9457 problem+json."""

from __future__ import annotations

from typing import Any


class CmdbError(Exception):
    """Anything the server refuses. ``detail`` says what is wrong and where; ``extra`` adds members to the problem
    document (``errors``: a list of ``{"path", "message"}``, ``offset``: bytes into the body)."""

    status = 500
    slug = "internal-error"
    title = "Internal error"

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.extra = extra


class Malformed(CmdbError):
    status, slug, title = 400, "malformed", "The request cannot be read"


class Unauthenticated(CmdbError):
    status, slug, title = 401, "unauthenticated", "No valid token"


class Forbidden(CmdbError):
    status, slug, title = 403, "forbidden", "Not allowed"


class NotFound(CmdbError):
    status, slug, title = 404, "not-found", "Not found"


class Conflict(CmdbError):
    status, slug, title = 409, "conflict", "In conflict with the present state"


class Forgotten(CmdbError):
    status, slug, title = 410, "forgotten", "From before what the history reaches back to"


class PreconditionFailed(CmdbError):
    status, slug, title = 412, "precondition-failed", "Changed by someone else meanwhile"


class TooLarge(CmdbError):
    status, slug, title = 413, "too-large", "Too large"


class UnsupportedMediaType(CmdbError):
    status, slug, title = 415, "unsupported-media-type", "Not a media type this resource reads"


class Invalid(CmdbError):
    status, slug, title = 422, "invalid", "The content is not valid"


class PreconditionRequired(CmdbError):
    status, slug, title = 428, "precondition-required", "If-Match is needed"


class TooManyRequests(CmdbError):
    status, slug, title = 429, "too-many-requests", "Over the quota"


class StoreUnavailable(CmdbError):
    status, slug, title = 503, "store-unavailable", "The store does not answer"


class SettingsError(CmdbError):
    status, slug, title = 500, "settings", "A setting is not usable"
