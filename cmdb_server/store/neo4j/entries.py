"""Rows as what is sent of them: an entry is the list of a node's properties, in the order of ``names``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from cmdb_server.errors import Invalid
from cmdb_server.store.neo4j.naming import class_label
from cmdb_server.store.neo4j.values import END, INDEXABLE, flattened, indexable, key_text, reader
from cmdb_server.store.port import Key, Row
from cmdb_server.store.tables import CI, RELATION, Table, picker

Entry = list[Any]
NOTHING_MORE = "\x00"
"""Ends the text of a compound whose further columns are missing; no part begins so."""
_INTEGERS = range(-(2**63), 2**63)
_encode = msgspec.json.Encoder().encode


# Which properties there are --------------------------------------------------------------------------------------------


@cache
def indexed_texts(table: Table) -> tuple[str, ...]:
    """The columns whose texts are in an index, and therefore may have to be shortened."""
    names = {name for columns in (table.key, *table.indexes) for name in columns}
    return tuple(name for name, kind in table.columns if kind == "text" and name in names)


@cache
def compounds(table: Table) -> tuple[tuple[str, ...], ...]:
    """The indexes on several columns. Neo4j's own answer for all of their columns together only, and leave out what
    lacks one: so each is one text, as the key is, which is found whole or by its beginning."""
    return tuple(columns for columns in table.indexes if len(columns) > 1 and columns != table.key[: len(columns)])


def compound_name(columns: tuple[str, ...]) -> str:
    return "_by_" + "_".join(columns)


def way(table: Table, columns: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The property by which rows are found whose leading ``columns`` are known, and the columns it tells."""
    if columns == table.key[: len(columns)]:
        return "_key", table.key
    for whole in compounds(table):
        if columns == whole[: len(columns)]:
            return compound_name(whole), whole
    return columns[0], columns


@cache
def names(table: Table) -> tuple[str, ...]:
    """The property at each place of an entry."""
    long = [f"_long_{name}" for name in indexed_texts(table)]
    return ("_key", *(name for name, _ in table.columns), *long, *map(compound_name, compounds(table)))


@cache
def columns_of(table: Table, name: str) -> str:
    """The columns of a row of the node or relationship ``name``, in order."""
    long = indexed_texts(table)
    return ", ".join(
        f"coalesce({name}.`_long_{column}`, {name}.`{column}`)" if column in long else f"{name}.`{column}`"
        for column, _ in table.columns
    )


# Values ----------------------------------------------------------------------------------------------------------------


def _text(name: str) -> Callable[[Any], Any]:
    def told(value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        raise _misfit(name, value)

    return told


def _integer(name: str) -> Callable[[Any], Any]:
    def told(value: Any) -> Any:
        if value is None:
            return value
        if not isinstance(value, int):
            raise _misfit(name, value)
        if value not in _INTEGERS:
            raise Invalid(f"{value} is too large for an integer")
        return int(value)

    return told


def _real(name: str) -> Callable[[Any], Any]:
    def told(value: Any) -> Any:
        if value is None or isinstance(value, int | float):
            return None if value is None else float(value)
        raise _misfit(name, value)

    return told


def _blob(name: str) -> Callable[[Any], Any]:
    def told(value: Any) -> Any:
        if value is None or isinstance(value, bytes | bytearray | memoryview):
            return None if value is None else bytes(value)
        raise _misfit(name, value)

    return told


def _json(_: str) -> Callable[[Any], Any]:
    return lambda value: None if value is None else _encode(value).decode()


def _misfit(name: str, value: Any) -> Invalid:
    return Invalid(f"a row does not fit its table: {name} cannot be {type(value).__name__}")


_KINDS = {"text": _text, "integer": _integer, "real": _real, "blob": _blob, "json": _json}


# Entries ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows of a table lie in entries. ``columns``: what makes each value a property; ``key``: the key of a row or of
    its values; ``long``: for each indexed text its place and that of its full length; ``compounds``: the positions of
    the columns of each."""

    table: Table
    columns: tuple[Callable[[Any], Any], ...]
    key: Callable[[Any], Key]
    long: tuple[tuple[int, int], ...]
    compounds: tuple[tuple[int, ...], ...]

    def entry(self, row: Row) -> tuple[Key, Entry]:
        """The key of a row, and what is sent of it. Raises ``Invalid`` for what does not fit."""
        if len(row) != len(self.columns):
            raise Invalid(
                f"a row does not fit its table: {self.table.name} has {len(self.columns)} columns, not {len(row)}"
            )
        values = [convert(value) for convert, value in zip(self.columns, row, strict=True)]
        key = self.key(values)
        if None in key:
            raise Invalid(f"a row does not fit its table: a key of {self.table.name} is missing")
        entry = [key_text(key), *values, *[None] * len(self.long)]
        entry += [_compound([values[position] for position in positions]) for positions in self.compounds]
        for at, whole in self.long:
            text = entry[at]
            if text is not None and len(text) * 4 > INDEXABLE and (short := indexable(text)) != text:
                entry[at], entry[whole] = short, text
        return key, entry

    def values(self, entry: Entry) -> list[Any]:
        """The values of an entry, as a query gives them."""
        values = entry[1 : len(self.columns) + 1]
        for at, whole in self.long:
            if entry[whole] is not None:
                values[at - 1] = entry[whole]
        return values

    def row(self, values: list[Any]) -> Row:
        return reader(self.table)(list(values))


def _compound(values: list[Any]) -> str | None:
    told = values[: values.index(None)] if None in values else values
    if not told:
        return None
    return key_text(tuple(told)) + ("" if told is values else END + NOTHING_MORE)


@cache
def shape(table: Table) -> Shape:
    width = len(table.columns)
    return Shape(
        table,
        tuple(_KINDS[kind](name) for name, kind in table.columns),
        picker(table, table.key),
        tuple((table.position(name) + 1, width + 1 + number) for number, name in enumerate(indexed_texts(table))),
        tuple(tuple(map(table.position, columns)) for columns in compounds(table)),
    )


Ancestors = Callable[[str], Iterable[str]]


def entries(table: Table, rows: Iterable[Row], ancestors: Ancestors) -> Iterable[tuple[Key, Entry]]:
    """Keys and entries. A CI's ends with its attributes as properties and its labels, a relation's with the keys of
    both of its ends."""
    encode = shape(table).entry
    if table is CI:
        return [_item(encode(row), row, ancestors) for row in rows]
    return map(_relation, map(encode, rows)) if table is RELATION else map(encode, rows)


def _item(told: tuple[Key, Entry], row: Row, ancestors: Ancestors) -> tuple[Key, Entry]:
    attributes, name = row[CI.position("attributes")], row[CI.position("class")]
    labels = map(class_label, (name, *ancestors(name))) if name is not None else ()
    told[1].append(flattened(attributes) if isinstance(attributes, dict) else {})
    told[1].append([label for label in labels if label])
    return told


def _relation(told: tuple[Key, Entry]) -> tuple[Key, Entry]:
    (near, _, far), entry = told
    entry += [key_text((near,)), key_text((far,))]
    return told
