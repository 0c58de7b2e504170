"""What a change is expected to leave, told well or refused with the place."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.errors import Invalid
from cmdb_server.practices.expected import Expectation, expectations


def test_each_edit_is_read() -> None:
    told = [
        {"edit": "remove", "ci": "a"}, {"edit": "create", "class": "server", "name": "web"},
        {"edit": "set", "ci": "a", "attribute": "os_version", "value": None},
        {"edit": "set", "ci": "a", "attribute": "os_version"},
        {"edit": "relate", "from": "a", "relation": "depends_on", "to": "b", "weight": 2},
    ]  # fmt: skip
    assert expectations(told) == (
        Expectation("remove", "a", any_value=True),
        Expectation("create", class_="server", name="web", any_value=True),
        Expectation("set", "a", "os_version", None),
        Expectation("set", "a", "os_version", any_value=True),
        Expectation("relate", from_="a", relation="depends_on", to="b", weight=2, any_value=True),
    )


@pytest.mark.parametrize(
    ("one", "paths"),
    [
        ("remove", ["e[0].edit"]), ({"edit": "explode"}, ["e[0].edit"]), ({"edit": "remove"}, ["e[0].ci"]),
        ({"edit": "remove", "ci": "a", "name": "b"}, ["e[0].name"]),
        ({"edit": "relate", "from": "a", "to": 3, "weight": "x"}, ["e[0].relation", "e[0].to", "e[0].weight"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(one: Any, paths: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        expectations([one], "e")
    assert [fault["path"] for fault in refused.value.extra["errors"]] == paths
