"""Rows as properties, and back.

Neo4j has neither nested values nor indexes on long texts nor unique compound keys (in its free edition). So ``json``
columns are JSON texts, the key is one computed text ``_key`` that sorts as the key does, and a text too long for an
index is kept aside (``_long_name`` for ``name``) with a digest in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec

from cmdb_server.store.neo4j.naming import ATTRIBUTE
from cmdb_server.store.port import Key, Row
from cmdb_server.store.tables import CI, Table

INDEXABLE = 1500
"""Bytes of a text in an index; four of them stay below Neo4j's limit of 8 kB."""
END = "\x01"
_ESCAPES = str.maketrans({"\x00": "\x02\x03", "\x01": "\x02\x04", "\x02": "\x02\x05"})
_INTEGERS = range(-(2**63), 2**63)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def indexable(value: Any) -> Any:
    """The value as an index takes it: long texts by their beginning and digest."""
    if not isinstance(value, str) or len(value) * 4 <= INDEXABLE:
        return value
    encoded = value.encode()
    if len(encoded) <= INDEXABLE:
        return value
    return f"{encoded[: INDEXABLE - 100].decode(errors='ignore')}…{sha256(encoded).hexdigest()}"


def key_text(key: Key) -> str:
    """A key, or the leading part of one, as a text that sorts as the key does: by code points and by number."""
    return END.join(map(part_text, key))


def part_text(value: Any) -> str:
    """One column of a key."""
    if isinstance(value, str):
        if len(value) * 4 <= INDEXABLE and value.isprintable():
            return value  # nearly all are: nothing to shorten, nothing to escape
        return str(indexable(value)).translate(_ESCAPES)
    return f"{value + 2**63:016x}"


@cache
def reader(table: Table) -> Callable[[list[Any]], Row]:
    """Makes a row of the values of ``columns_of``."""
    positions = [number for number, (_, kind) in enumerate(table.columns) if kind == "json"]

    def read(values: list[Any]) -> Row:
        for position in positions:
            if values[position] is not None:
                values[position] = _decode(values[position])
        return tuple(values)

    return read if positions else tuple


def flattened(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """A CI's attributes as properties for hand-written Cypher: a quantity's members as ``memory_value`` and
    ``memory_unit``, what is nested deeper as JSON. The row's own columns keep their names; names that are no words
    are left to the JSON in ``attributes``."""
    found: dict[str, Any] = {}
    for name, value in (attributes or {}).items():
        members = {f"{name}_{part}": member for part, member in value.items()} if isinstance(value, dict) else None
        for flat, member in (members or {name: value}).items():
            if ATTRIBUTE.fullmatch(flat) and flat not in _columns and (kept := _property(member)) is not None:
                found[flat] = kept
    return found


_columns = {name for name, _ in CI.columns}


def _property(value: Any) -> Any:
    if value is None or _scalar(value):
        return value
    if isinstance(value, list) and len({type(item) for item in value}) <= 1 and all(map(_scalar, value)):
        return value
    return _encode(value).decode()


def _scalar(value: Any) -> bool:
    return isinstance(value, str | bool | float) or (isinstance(value, int) and value in _INTEGERS)
