from __future__ import annotations

from typing import Any, get_args

import pytest

from cmdb_schemas.attribute import Attribute, AttributeType, check_value
from cmdb_server.cli.attribute_values import TEXTS, read


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [("string", "12", "12"), ("string", "true", "true"), ("string", '"12"', "12"), ("string", '"', '"'),
     ("string", '"a" or "b"', '"a" or "b"'), ("date", "2026-01-31", "2026-01-31"), ("integer", "12", 12),
     ("integer", "twelve", "twelve"), ("boolean", "true", True), ("number", "1.5", 1.5),
     ("quantity", '{"value": 8, "unit": "GiB"}', {"value": 8, "unit": "GiB"}), (None, "[1]", [1]), (None, "a", "a")],
)  # fmt: skip
def test_by_its_type(type_: str | None, text: str, value: Any) -> None:
    assert read(type_, text) == value


def test_the_types_whose_values_are_texts() -> None:
    written = {"uri": "a:b", "ip_address": "10.0.0.1", "mac_address": "00:1b:21:3c:9d:00", "duration": "P1D",
               "date": "2026-01-31"}  # fmt: skip
    fits = {
        kind for kind in get_args(AttributeType)
        if check_value(Attribute("x", kind, "X"), written.get(kind, "some text")) is None
    }  # fmt: skip
    assert fits == TEXTS
