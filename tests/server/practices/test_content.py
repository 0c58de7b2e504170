"""What is decided upon of a change: the same as long as none of that is edited."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cmdb_server.practices.content import content
from cmdb_server.practices.kept_rows import Kept

BODY = {"summary": "move", "type": "normal", "plan": "do it", "windows": [{"start": "a", "end": "b"}]}
CHANGE = Kept("CHG0000001", "change", "new", 1, "ann", 0, 0, 1, BODY, {"changed": ("x", "y")})


def test_the_same_in_any_order_and_state() -> None:
    same = replace(CHANGE, state="assess", version=4, cis={"changed": ("y", "x")}, body={**BODY, "summary": "moved"})
    assert content(CHANGE) == content(same)


@pytest.mark.parametrize(
    "other",
    [
        replace(CHANGE, body=BODY | {"plan": "do it well"}), replace(CHANGE, body=BODY | {"interruption": "none"}),
        replace(CHANGE, body=BODY | {"windows": [{"start": "a", "end": "c"}]}), replace(CHANGE, cis={"changed": ("x",)}),
    ],
)  # fmt: skip
def test_another_once_it_is_edited(other: Kept) -> None:
    assert content(other) != content(CHANGE)
