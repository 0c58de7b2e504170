"""Values as they are compared: from what the graph holds, and from what a selector says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from cmdb_schemas.units import comparable, convert, duration_ms
from cmdb_server.model.selector_tree import Field

Value = str | float | bool | tuple[str, ...] | tuple[float, ...]
_SPAN = re.compile(r"(?=.)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_MS = (86_400_000, 3_600_000, 60_000, 1000)
_QUANTITY = re.compile(r"(-?\d+(?:\.\d+)?)\s*(\S+)", re.ASCII)


def value_of(field: Field, raw: Any) -> Value | None:
    """A value of the graph as the field compares it; None where there is none of that kind."""
    if raw is None:
        return None
    match field.kind:
        case "string":
            return raw if isinstance(raw, str) and raw else None
        case "number":
            return _number(raw, field.units)
        case "boolean":
            return raw if isinstance(raw, bool) else None
        case "time":
            return float(raw) if _is_number(raw) else time_ms(raw)
        case "duration":
            span = duration_ms(raw)
            return None if span is None else float(span)
        case "strings":
            return tuple(one for one in raw if isinstance(one, str)) or None if isinstance(raw, list) else None
        case "numbers":
            return tuple(float(one) for one in raw if _is_number(one)) or None if isinstance(raw, list) else None
        case "other":
            return True


def _is_number(raw: Any) -> bool:
    return isinstance(raw, int | float) and not isinstance(raw, bool)


def _number(raw: Any, units: tuple[str, ...]) -> float | None:
    if _is_number(raw):
        return float(raw)
    if isinstance(raw, dict) and _is_number(raw.get("value")) and isinstance(raw.get("unit"), str):
        wanted = next((one for one in units if comparable(raw["unit"], one)), None)
        return None if wanted is None else float(convert(raw["value"], raw["unit"], wanted))
    return None


def time_ms(text: object) -> float | None:
    """A day or an RFC 3339 time as ms since 1970 UTC; None where it is none. A day begins at midnight UTC."""
    if not isinstance(text, str):
        return None
    try:
        if len(text) == len("2026-01-31"):
            day = date.fromisoformat(text)
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        else:
            moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * 1000)


def span_ms(text: str) -> float | None:
    """A duration as ISO 8601 (``P2DT12H``) or in letters (``2d12h``, ``90s``) writes it, as ms."""
    if (iso := duration_ms(text)) is not None:
        return float(iso)
    match = _SPAN.fullmatch(text)
    return None if match is None else float(sum(int(n or 0) * ms for n, ms in zip(match.groups(), _MS, strict=True)))


def quantity(text: str) -> tuple[float, str] | None:
    """``16 GiB`` as its number and unit."""
    match = _QUANTITY.fullmatch(text.strip())
    return None if match is None else (float(match[1]), match[2])
