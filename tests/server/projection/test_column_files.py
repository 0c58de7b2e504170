"""Columns come out of files as they went in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cmdb_server.model.selector_tree import Field
from cmdb_server.projection import column_files
from cmdb_server.projection.attributes import Lists, Texts
from cmdb_server.projection.columns import Interned
from tests import worlds
from tests.server.projection.test_attributes import made

TOLD: tuple[dict[str, Any], ...] = (
    {"text": "a", "number": 1.5, "flag": True, "list": ["x", "y"], "numbers": [1.0, 2.5], "other": {"k": 1}},
    {"text": "b", "flag": False, "list": []},
    {"text": "a", "number": 7, "other": "some"},
    {},
)
FIELDS = (
    Field("text", "string"), Field("number", "number", units=("GHz",)), Field("flag", "boolean"),
    Field("list", "strings"), Field("numbers", "numbers"), Field("other", "other"), Field("name", "string", own=True),
)  # fmt: skip


def plain(value: Any) -> Any:
    """Columns as values that can be compared."""
    if isinstance(value, np.ndarray):
        return np.where(np.isnan(value), -9, value).tolist() if value.dtype == np.float64 else value.tolist()
    if isinstance(value, Interned):
        return value.values
    names = getattr(value, "__dataclass_fields__", None)
    return {name: plain(getattr(value, name)) for name in names} if names else value


@pytest.mark.parametrize("more", [{}, {"relations": True}, {"relations": True, "seen": worlds.NOW}])
def test_all_kinds_come_back(more: dict[str, Any]) -> None:
    store, projections = made(*TOLD)
    store.put_relation(worlds.relation_row("0", "depends_on", "1"))
    projection = projections.current()
    asked = {"relations": False, **more}
    held = projections.attributes.columns(projection, store, FIELDS, **asked)  # type: ignore[arg-type]
    assert held is not None
    found = column_files.opened(*column_files.written(held), projection)
    assert found.held.keys() == held.held.keys()
    for field in FIELDS:
        assert type(found.held[field]) is type(held.held[field])
        assert plain(found.held[field]) == plain(held.held[field])
    assert plain(found.relations) == plain(held.relations)
    assert plain(found.sightings) == plain(held.sightings)
    assert found.names() == held.names()


def test_what_says_the_same_again_is_the_same_column() -> None:
    store, projections = made(*TOLD)
    old = projections.attributes.columns(projections.current(), store, FIELDS, relations=False)  # type: ignore[arg-type]
    store.revision += 1
    for number, one in enumerate(TOLD):
        store.put_ci(worlds.ci_row(str(number), attributes=one))
    new = projections.attributes.columns(projections.current(), store, FIELDS, relations=False)  # type: ignore[arg-type]
    assert old is not None and new is not None and new.revision > old.revision
    for field in FIELDS:
        assert new.held[field] is old.held[field]
    store.revision += 1
    store.put_ci(worlds.ci_row("0", attributes={**TOLD[0], "list": ["y", "x"], "text": "c"}))
    last = projections.attributes.columns(projections.current(), store, FIELDS, relations=False)  # type: ignore[arg-type]
    assert last is not None
    changed = {field for field in FIELDS if last.held[field] is not old.held[field]}
    assert {field.name for field in changed} == {"text", "list"}
    assert all(isinstance(last.held[field], Texts | Lists) for field in changed)
