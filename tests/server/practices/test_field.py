"""Fields take attributes' types and a few more, and name the place of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_schemas.errors import DefinitionError
from cmdb_server.practices.field import field

WINDOW = {"start": "2026-03-01T22:00:00Z", "end": "2026-03-02T02:00:00Z"}


def refused(key: str, problem: str) -> DefinitionError:
    return DefinitionError(f"{key}: {problem}")


@pytest.mark.parametrize(
    ("told", "value", "faults"),
    [
        ({"type": "string"}, "x", []),
        ({"type": "string"}, 5, ["f"]),
        ({"type": "string"}, "x" * 1025, ["f"]),
        ({"type": "string", "choices": ["a"]}, "b", ["f"]),
        ({"type": "string", "many": True}, ["a", 5, "b", None], ["f[1]"]),
        ({"type": "string", "many": True}, "a", ["f"]),
        ({"type": "string", "many": True}, ["a"] * 1001, ["f"]),
        ({"type": "text"}, "x" * 1025, []),
        ({"type": "text"}, "x" * 65537, ["f"]),
        ({"type": "time"}, "2026-01-01T00:00:00Z", []),
        ({"type": "time"}, "2026-01-01", ["f"]),
        ({"type": "window"}, WINDOW, []),
        ({"type": "window"}, "always", ["f"]),
        ({"type": "window"}, {"start": "x", "end": "y"}, ["f.start", "f.end"]),
        ({"type": "window", "many": True}, [WINDOW, WINDOW | {"zone": "Mars/Base"}], ["f[1].zone"]),
        ({"type": "window"}, WINDOW | {"rrule": "FREQ=NEVER"}, ["f.rrule"]),
        ({"type": "selector"}, 'class == "server"', []),
        ({"type": "selector"}, "class ==", ["f"]),
        ({"type": "selector"}, 5, ["f"]),
        ({"type": "object"}, {"a": 1}, []),
        ({"type": "object"}, [1], ["f"]),
        ({"type": "duration"}, "PT1H", []),
    ],
)
def test_values(told: dict[str, Any], value: Any, faults: list[str]) -> None:
    assert [path for path, _ in field("f", {"title": "F", **told}, refused).faults(value, "f")] == faults


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"type": "colour"}, "type"),
        ({"type": "string", "title": ""}, "title"),
        ({"type": "string", "choices": "a"}, "choices"),
        ({"type": "string", "choices": ["a"], "default": "b"}, "default"),
        ({"type": "string", "default": 5}, "default"),
        ({"type": "string", "default": "now"}, None),
        ({"type": "time", "default": "then"}, "default"),
        ({"type": "window", "choices": ["a"]}, "choices"),
        ({"type": "string", "many": "yes"}, "many"),
        ({"type": "string", "required": "yes"}, "required"),
        ({"type": "string", "states": "new"}, "states"),
        ({"type": "string", "colour": "red"}, "colour"),
        ({"type": "quantity"}, "unit"),
        ({"type": "string", "target": "person"}, "target"),
        ({"type": "thing", "many": True, "states": ["new"], "required": True}, None),
    ],
)
def test_definitions_that_are_wrong_name_the_option(told: dict[str, Any], named: str | None) -> None:
    if named is None:
        assert field("f", {"title": "F", **told}, refused).name == "f"
        return
    with pytest.raises(DefinitionError, match=f"^{named}: "):
        field("f", {"title": "F", **told}, refused)


def test_a_time_may_begin_as_now() -> None:
    assert field("f", {"type": "time", "title": "F", "default": "now"}, refused).default == "now"
