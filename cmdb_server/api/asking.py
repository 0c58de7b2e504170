"""What every read may be asked with: as of a time, as known at a time, page by page."""

from __future__ import annotations

import base64
import binascii

from marshmallow import Schema

from cmdb_server.api.fields import Instant, Text, Whole
from cmdb_server.errors import Invalid


class TimesSchema(Schema):
    at = Instant(load_default=None, metadata={"description": "How things were then"})
    known_at = Instant(load_default=None, metadata={"description": "As far as had been told by then"})


class ListingSchema(Schema):
    cursor = Text(load_default=None, metadata={"description": "next_cursor of the page before"})
    limit = Whole(1, 1000, query=True, load_default=100)


class PageSchema(ListingSchema, TimesSchema):
    pass


def cursor_of(text: str | None) -> str | None:
    """The place that an opaque cursor names. Raises Invalid for anything never given out."""
    if text is None:
        return None
    try:
        return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
    except (UnicodeError, binascii.Error):
        raise Invalid("cursor: was not given out here", errors=[{"path": "cursor", "message": "unknown"}]) from None


def opaque(place: str | None) -> str | None:
    """A place in a list as a cursor."""
    return None if place is None else base64.urlsafe_b64encode(place.encode()).decode()
