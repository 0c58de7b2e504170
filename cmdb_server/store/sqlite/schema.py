"""The SQLite schema, derived from ``store.tables``."""

from __future__ import annotations

from collections.abc import Iterator

from cmdb_server.store.tables import Table

APPLICATION_ID = 0x434D4442
"""``CMDB`` in the file's header: tells a store of ours from any other SQLite file."""

META = """CREATE TABLE IF NOT EXISTS meta (
    id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL, schema INTEGER NOT NULL, loading INTEGER NOT NULL
) STRICT"""

STORAGE = {"text": "TEXT", "integer": "INTEGER", "real": "REAL", "json": "TEXT", "blob": "BLOB"}


def quoted(name: str) -> str:
    """An identifier, safe even where it is a word of SQL (``group``, ``values``)."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: tuple[str, ...], prefix: str = "") -> str:
    """Identifiers separated by commas."""
    return ", ".join(prefix + quoted(name) for name in names)


def clustered(table: Table) -> bool:
    """Whether rows lie in key order (``WITHOUT ROWID``): it pays where rows are little more than a compound key."""
    heavy = sum(1 for _, kind in table.columns if kind in {"json", "blob"})
    return len(table.key) > 1 and heavy <= 1


def column_definition(table: Table, name: str, kind: str) -> str:
    return f"{quoted(name)} {STORAGE[kind]}" + (" NOT NULL" if name in table.key else "")


def create_table(table: Table) -> str:
    columns = ", ".join(column_definition(table, name, kind) for name, kind in table.columns)
    options = "STRICT, WITHOUT ROWID" if clustered(table) else "STRICT"
    return f"CREATE TABLE IF NOT EXISTS {quoted(table.name)} ({columns}, PRIMARY KEY ({listed(table.key)})) {options}"


def create_index(table: Table, columns: tuple[str, ...]) -> str:
    name = quoted("_".join((table.name, *columns)))
    return f"CREATE INDEX IF NOT EXISTS {name} ON {quoted(table.name)} ({listed(columns)})"


def create_all(tables: tuple[Table, ...]) -> Iterator[str]:
    """The statements that make an empty store, save for the row of ``meta``."""
    yield META
    for table in tables:
        yield create_table(table)
        for columns in table.indexes:
            yield create_index(table, columns)
