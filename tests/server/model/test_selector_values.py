from __future__ import annotations

import pytest

from cmdb_server.model.selector_tree import Field
from cmdb_server.model.selector_values import quantity, span_ms, time_ms, value_of


@pytest.mark.parametrize(
    ("kind", "raw", "wanted"),
    [
        ("string", "x", "x"), ("string", "", None), ("string", 4, None), ("number", 4, 4.0), ("number", True, None),
        ("number", "4", None), ("boolean", False, False), ("boolean", 0, None), ("duration", "PT1H", 3_600_000.0),
        ("time", "1970-01-02", 86_400_000.0), ("time", 5, 5.0), ("time", "1970-01-01T00:00:00", None),
        ("strings", ["a", 1], ("a",)), ("strings", [], None), ("strings", "a", None), ("numbers", [1, "a"], (1.0,)),
        ("other", {"a": 1}, True), ("other", None, None),
    ],
)  # fmt: skip
def test_only_values_of_the_kind_are_known(kind: str, raw: object, wanted: object) -> None:
    assert value_of(Field("x", kind), raw) == wanted  # type: ignore[arg-type]


def test_quantities_are_told_in_the_fields_unit() -> None:
    memory = Field("memory", "number", units=("By",))
    assert value_of(memory, {"value": 2, "unit": "KiB"}) == 2048
    assert value_of(memory, {"value": 2, "unit": "MHz"}) is None
    assert quantity(" 1.5 GiB") == (1.5, "GiB") and quantity("GiB") is None


def test_durations_come_in_two_spellings() -> None:
    assert span_ms("P1DT1H") == span_ms("1d1h") == 90_000_000
    assert span_ms("") is span_ms("1 day") is None
    assert time_ms("1970-01-01T01:00:00.5+01:00") == 500
    assert time_ms("9999-99-99") is None
