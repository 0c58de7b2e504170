"""The columns of what CIs say, as arrays and plain JSON: kept beside the projection in whose numbering they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from cmdb_server.model.selector_tree import Field
from cmdb_server.projection.attributes import AttributeColumns, Ends, Flags, Lists, Numbers, Present, Texts, Typed
from cmdb_server.projection.columns import Column, Interned
from cmdb_server.projection.projection import GONE, Projection
from cmdb_server.projection.sightings import Sightings
from cmdb_server.projection.stored_texts import ARRAYS, StoredTexts, arrays_of

KINDS: Mapping[str, type[Typed]] = {kind.__name__: kind for kind in (Texts, Numbers, Flags, Lists, Present)}
SEEN = ("site", "ageing_at", "gone_at", "retired_at")
ENDS = tuple(field.name for field in fields(Ends))


def written(columns: AttributeColumns) -> tuple[dict[str, Column], Any]:
    """(the arrays by name, the rest)."""
    arrays: dict[str, Column] = {}
    told: list[Any] = []
    for number, (field, column) in enumerate(columns.held.items()):
        name = f"column.{number}"
        for part in fields(column):
            value = getattr(column, part.name)
            if isinstance(value, np.ndarray):
                arrays[f"{name}.{part.name}"] = value
        told.append([[field.name, field.kind, field.own, list(field.units)], type(column).__name__, None])
        if isinstance(column, Texts | Lists):
            told[-1][2] = _values(f"{name}.values", column.values, arrays)
    if columns.relations is not None:
        arrays |= {f"ends.{name}": getattr(columns.relations, name) for name in ENDS}
    seen = columns.sightings
    if seen is not None:
        arrays |= {f"seen.{name}": getattr(seen, name) for name in SEEN}
    return arrays, {"columns": told, "seen": seen and [seen.revision, seen.looked_at, seen.sites.values]}


def opened(arrays: Mapping[str, Column], told: Any, projection: Projection) -> AttributeColumns:
    """What ``written`` gave, in the numbering and of the revision of ``projection``."""
    held: dict[Field, Typed] = {}
    for number, ((name, kind, own, units), type_, values) in enumerate(told["columns"]):
        held[Field(name, kind, own, tuple(units))] = _column(arrays, f"column.{number}", KINDS[type_], values)
    relations = Ends(*(arrays[f"ends.{name}"] for name in ENDS)) if "ends.to" in arrays else None
    sightings = None
    if told["seen"]:
        revision, looked_at, sites = told["seen"]
        site, *times = (arrays[f"seen.{name}"] for name in SEEN)
        sightings = Sightings(revision, looked_at, site, Interned(sites), *times)
    gone = np.flatnonzero(projection.ended_at == GONE)
    return AttributeColumns(projection.revision, projection.index, gone, held, relations, sightings)


def _values(name: str, values: Interned[Any], arrays: dict[str, Column]) -> list[Any] | None:
    """None where all are texts, which go into arrays; else what they are."""
    if any(not isinstance(value, str) for value in values.values):
        return list(values.values)
    arrays |= {f"{name}.{part}": array for part, array in arrays_of(values).items()}
    return None


def _column(arrays: Mapping[str, Column], name: str, kind: type[Typed], values: list[Any] | None) -> Typed:
    parts: dict[str, Any] = {field.name: arrays.get(f"{name}.{field.name}") for field in fields(kind)}
    if values is not None:
        parts["values"] = Interned(values)
    elif f"{name}.values.text" in arrays:
        parts["values"] = StoredTexts.of({part: arrays[f"{name}.values.{part}"] for part in ARRAYS})
    return kind(**parts)
