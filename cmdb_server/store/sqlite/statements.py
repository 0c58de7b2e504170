"""The statements a table needs, written once per table and batch size."""

# ruff: noqa: S608  names come from ``store.tables`` and are quoted, values are parameters

from __future__ import annotations

from functools import cache

from cmdb_server.store.sqlite.schema import STORAGE, listed, quoted
from cmdb_server.store.tables import Table

BATCHES = (1, 8, 64, 256)
"""How many values one look-up takes. Few sizes keep the prepared statements few; the rest is filled with NULL, which
equals nothing. Measured on 2,000 keys: within a tenth of the best of ``IN``, ``json_each`` and temporary tables, and
the only one that is exact for every text (``json_each`` cuts at NUL)."""


@cache
def columns_of(table: Table, prefix: str = "") -> str:
    """The columns to select; ``[cmdb_json]`` has the driver decode them."""
    return ", ".join(
        f'{prefix}{quoted(name)} AS "{name} [cmdb_json]"' if kind == "json" else prefix + quoted(name)
        for name, kind in table.columns
    )


@cache
def find(table: Table, columns: tuple[str, ...], batch: int) -> str:
    """Rows by the values of ``columns``, ``batch`` values at once, ordered by value and key."""
    values, match = _matching(table, columns, batch)
    order = f" ORDER BY v.n, {listed(table.key, 't.')}" if columns != table.key else ""
    return f"{values} SELECT {columns_of(table, 't.')} FROM {match}{order}"


@cache
def exist(table: Table, columns: tuple[str, ...], batch: int) -> str:
    """As ``find``, but the values alone."""
    values, match = _matching(table, columns, batch)
    return f"{values} SELECT {', '.join(f'v.v{number}' for number in range(len(columns)))} FROM {match}"


def _matching(table: Table, columns: tuple[str, ...], batch: int) -> tuple[str, str]:
    names = [f"v{number}" for number in range(len(columns))]
    marks = ", ".join("?" for _ in columns)
    values = ", ".join(f"({number}, {marks})" for number in range(batch))
    match = " AND ".join(f"t.{quoted(column)} = v.{name}" for column, name in zip(columns, names, strict=True))
    return f"WITH v(n, {', '.join(names)}) AS (VALUES {values})", f"v CROSS JOIN {quoted(table.name)} AS t ON {match}"


@cache
def scan(table: Table, started: bool) -> str:
    marks = ", ".join("?" for _ in table.key)
    after = f"WHERE ({listed(table.key)}) > ({marks}) " if started else ""
    return f"SELECT {columns_of(table)} FROM {quoted(table.name)} {after}ORDER BY {listed(table.key)} LIMIT ?"


@cache
def between(table: Table, column: str) -> str:
    name = quoted(column)
    order = listed((column, *(part for part in table.key if part != column)))
    return f"SELECT {columns_of(table)} FROM {quoted(table.name)} WHERE {name} > ? AND {name} <= ? ORDER BY {order}"


def _insert_into(table: Table) -> str:
    """Names its columns, since a migrated table has them in another order."""
    names = tuple(name for name, _ in table.columns)
    return f"INSERT INTO {quoted(table.name)} ({listed(names)}) VALUES ({', '.join('?' for _ in names)})"


@cache
def insert(table: Table) -> str:
    return f"{_insert_into(table)} ON CONFLICT ({listed(table.key)}) DO NOTHING"


@cache
def put(table: Table) -> str:
    """An upsert and not ``REPLACE``, which would write every index of the row anew."""
    rest = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name, _ in table.columns if name not in table.key)
    action = f"UPDATE SET {rest}" if rest else "NOTHING"
    return f"{_insert_into(table)} ON CONFLICT ({listed(table.key)}) DO {action}"


@cache
def delete(table: Table, columns: tuple[str, ...]) -> str:
    match = " AND ".join(f"{quoted(column)} = ?" for column in columns)
    return f"DELETE FROM {quoted(table.name)} WHERE {match}"


@cache
def count(table: Table) -> str:
    return f"SELECT count(*) FROM {quoted(table.name)}"


def add_column(table: Table, column: str) -> str:
    return f"ALTER TABLE {quoted(table.name)} ADD COLUMN {quoted(column)} {STORAGE[dict(table.columns)[column]]}"


def fill(table: Table, column: str) -> str:
    return f"UPDATE {quoted(table.name)} SET {quoted(column)} = ?"


def clear(table: Table) -> str:
    return f"DELETE FROM {quoted(table.name)}"
