"""What of a change is decided upon: what it is assessed for, approved for and let into a freeze for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

_CONTENT = ("type", "template", "interruption", "windows", "expected", "plan", "back_out", "implementers")


class Told(Protocol):
    """A change, or a version of one."""

    @property
    def body(self) -> Mapping[str, Any]: ...

    @property
    def cis(self) -> Mapping[str, Sequence[str]]: ...


def content(change: Told) -> str:
    """A digest of it; the same as long as nothing of it is edited."""
    told = {name: change.body[name] for name in _CONTENT if name in change.body}
    parts = [told, {role: sorted(ids) for role, ids in change.cis.items()}]
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()
