from __future__ import annotations

import unicodedata

from hypothesis import given

from cmdb_schemas.visible import short, visible
from tests.hostile import NAMES


@given(NAMES)
def test_nothing_controls_or_hides(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert "\u202e" not in shown and len(shown.splitlines()) <= 1
    assert visible(shown) == shown


def test_codes_are_written() -> None:
    assert visible("a\x1b[2J\u202eb\n") == "a\\x1b[2J\\u202eb\\x0a"
    assert visible("Zürich 東京 ✔") == "Zürich 東京 ✔"


def test_short_keeps_to_its_length() -> None:
    assert short("abc", 3) == "abc" and short("abcd", 3) == "ab…"
    assert len(short("\x00" * 10, 12)) == 12
