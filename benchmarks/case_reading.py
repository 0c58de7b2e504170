"""A case as it is read: what of it was never looked at is told, so that nothing in a case is passed over silently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ABOUT = frozenset({
    "comment", "description", "doc", "from_page", "id", "issue", "name", "note", "notes", "page", "reason", "see_also",
    "semantics", "source", "title", "why",
})  # fmt: skip
"""Fields that tell about a case, and ask nothing."""


class Told(dict[str, Any]):
    """A mapping of a case that notes which of its fields are read."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told)
        self.seen: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.seen.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.seen.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.seen.add(str(key))
        return super().__contains__(key)

    def items(self) -> Any:
        self.seen.update(self)
        return super().items()

    def values(self) -> Any:
        self.seen.update(self)
        return super().values()


def read(value: Any) -> Any:
    """``value`` with every mapping in it noting what is read of it."""
    if isinstance(value, dict):
        return Told({str(key): read(one) for key, one in value.items()})
    return [read(one) for one in value] if isinstance(value, list) else value


def unread(value: Any, path: str = "") -> Iterator[str]:
    """The paths of the fields of ``value`` that nobody read, but for those that only tell about it."""
    if isinstance(value, list):
        for one in value:
            yield from unread(one, f"{path}[]")
    if not isinstance(value, Told):
        return
    for key in value:
        here = f"{path}.{key}".strip(".")
        if key in value.seen:
            yield from unread(dict.__getitem__(value, key), here)
        elif key not in ABOUT:
            yield here
