"""A definition's error is a ValueError, so that code that reads definitions need not know this package's names."""

from __future__ import annotations

from cmdb_schemas.errors import DefinitionError


def test_is_a_value_error() -> None:
    assert isinstance(DefinitionError("x.toml: title: must be a text"), ValueError)
