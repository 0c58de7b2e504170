"""Fields of requests and answers that marshmallow does not have."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields

from cmdb_server.api.body import text_fault
from cmdb_server.model.instants import parse, rfc3339

__all__ = ["Flag", "Instant", "Text", "Whole", "rfc3339"]

WITHOUT_NUL = r"^[^\u0000]*$"
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)


class Instant(fields.Field[int]):
    """A time: RFC 3339 with an offset outside, ms since 1970 UTC inside."""

    def __init__(self, **options: Any) -> None:
        metadata = {"type": "string", "format": "date-time"} | options.pop("metadata", {})
        super().__init__(metadata=metadata, **options)

    def _serialize(self, value: int | None, *_: Any, **__: Any) -> str | None:
        return None if value is None else rfc3339(value)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        try:
            return parse(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Whole(fields.Field[int]):
    """A whole number within bounds. 1.0 is one, as JSON Schema has it; a text is one in a query string alone."""

    def __init__(self, low: int, high: int, *, query: bool = False, **options: Any) -> None:
        self.low, self.high, self.query = low, high, query
        bounds = {"type": "integer", "minimum": low, "maximum": high}
        super().__init__(metadata=bounds | options.pop("metadata", {}), **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if self.query and isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise ValidationError("not a whole number")
        if not self.low <= value <= self.high:
            raise ValidationError(f"must be between {self.low} and {self.high}")
        return int(value)


class Flag(fields.Boolean):
    """true or false, and nothing that is taken for one."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class Text(fields.String):
    """A text of bounded length without what no store keeps: NUL and lone surrogates."""

    def __init__(self, *, longest: int = 256, shortest: int = 1, **options: Any) -> None:
        self.longest, self.shortest = longest, shortest
        bounds = {"minLength": shortest, "maxLength": longest, "pattern": WITHOUT_NUL}
        super().__init__(metadata=bounds | options.pop("metadata", {}), **options)

    def _deserialize(self, value: Any, *told: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *told, **kwargs)
        if not self.shortest <= len(text) <= self.longest:
            raise ValidationError(f"must have {self.shortest} to {self.longest} characters")
        if (fault := text_fault(text)) is not None:
            raise ValidationError(fault)
        return text
