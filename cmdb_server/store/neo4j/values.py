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

from cmdb_server.errors import Invalid
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
    return END.join(_part(value) for value in key)


def _part(value: Any) -> str:
    if isinstance(value, str):
        if len(value) * 4 <= INDEXABLE and value.isprintable():
            return value  # nearly all are: nothing to shorten, nothing to escape
        return str(indexable(value)).translate(_ESCAPES)
    return f"{value + 2**63:016x}"


def _integer(value: Any) -> int:
    if value not in _INTEGERS:
        raise Invalid(f"{value} is too large for an integer")
    return int(value)


def _typed(name: str, kinds: type | tuple[type, ...], convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        if not isinstance(value, kinds):
            raise Invalid(f"a row does not fit its table: {name} cannot be {type(value).__name__}")
        return convert(value)

    return checked


@cache
def _writers(table: Table) -> tuple[tuple[str, Callable[[Any], Any], bool], ...]:
    """For each column its name, what makes it a property, and whether its texts are indexed."""
    of: dict[str, Callable[[str], Callable[[Any], Any]]] = {
        "text": lambda name: _typed(name, str, lambda value: value),
        "integer": lambda name: _typed(name, int, _integer),
        "real": lambda name: _typed(name, (int, float), float),
        "blob": lambda name: _typed(name, (bytes, bytearray, memoryview), bytes),
        "json": lambda _: lambda value: _encode(value).decode(),
    }
    return tuple((name, of[kind](name), name in indexed_texts(table)) for name, kind in table.columns)


@cache
def indexed_texts(table: Table) -> frozenset[str]:
    names = {name for columns in (table.key, *table.indexes) for name in columns}
    return frozenset(name for name, kind in table.columns if kind == "text" and name in names)


def properties(table: Table, row: Row) -> dict[str, Any]:
    """The properties of a row, ``_key`` included. Raises ``Invalid`` for what does not fit."""
    writers = _writers(table)
    if len(row) != len(writers):
        raise Invalid(f"a row does not fit its table: {table.name} has {len(writers)} columns, not {len(row)}")
    found: dict[str, Any] = {}
    for (name, convert, indexed), value in zip(writers, row, strict=True):
        if value is not None:
            found[name] = kept = convert(value)
            if indexed and (short := indexable(kept)) != kept:
                found["_long_" + name], found[name] = kept, short
    found["_key"] = key_text(_key(table, row))
    return found


def _key(table: Table, row: Row) -> Key:
    key = tuple(row[position] for position in key_positions(table))
    if None in key:
        raise Invalid(f"a row does not fit its table: a key of {table.name} is missing")
    return key


@cache
def key_positions(table: Table) -> tuple[int, ...]:
    return tuple(table.position(column) for column in table.key)


@cache
def columns_of(table: Table, name: str) -> str:
    """The columns of a row of the node or relationship ``name``, in order."""
    long = indexed_texts(table)
    return ", ".join(
        f"coalesce({name}.`_long_{column}`, {name}.`{column}`)" if column in long else f"{name}.`{column}`"
        for column, _ in table.columns
    )


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
