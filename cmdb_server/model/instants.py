"""Times as RFC 3339 texts outside and ms since 1970 UTC inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):([0-5]\d|60)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse(value: object) -> int:
    """The ms of an RFC 3339 time. Raises ValueError in words."""
    found = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("not an RFC 3339 time with an offset, such as 2026-02-01T12:00:00Z")
    day, minute, second, fraction, offset = found.groups()
    offset = "+00:00" if offset in "Zz" else offset
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}:00{offset}").replace(tzinfo=None)
        moment -= _offset(offset)
    except (ValueError, OverflowError):
        raise ValueError("no such time") from None
    whole = (moment.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1) + int(second)
    return whole * 1000 + int((fraction or "0").ljust(3, "0")[:3])


def _offset(text: str) -> timedelta:
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    return (-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes)


def moment(ms: int) -> datetime:
    """The same as a datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def of_moment(told: datetime) -> int:
    """The ms of a datetime with a zone."""
    return (told - _EPOCH) // timedelta(milliseconds=1)


def rfc3339(ms: int) -> str:
    """ms since 1970 UTC as RFC 3339."""
    return moment(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
