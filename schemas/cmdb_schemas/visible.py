"""What hosts and people said, made harmless to show: nothing in it steers a terminal, a line or the way of writing."""

from __future__ import annotations

import re

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """The text in one line, characters that control or hide something written as their code."""
    return _CONTROL.sub(_written, text)


def short(text: str, most: int) -> str:
    """Visible, and of at most ``most`` characters."""
    told = visible(text)
    return told if len(told) <= most else told[: most - 1] + "…"


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
