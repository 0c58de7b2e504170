"""What migrations do to an SQLite store, inside of the transaction that opens it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from cmdb_server.store.port import Row
from cmdb_server.store.sqlite import statements
from cmdb_server.store.sqlite.schema import create_index, create_table
from cmdb_server.store.sqlite.transaction import encoded, encoded_value
from cmdb_server.store.tables import Table


class SqliteEvolution:
    """``Evolving`` on a connection that is inside of a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add_table(self, table: Table) -> None:
        self._connection.execute(create_table(table))
        for columns in table.indexes:
            self.add_index(table, columns)

    def add_column(self, table: Table, column: str, default: Any) -> None:
        self._connection.execute(statements.add_column(table, column))
        if dict(table.columns)[column] == "json":
            default = encoded_value(default)
        self._connection.execute(statements.fill(table, column), (default,))

    def add_index(self, table: Table, columns: tuple[str, ...]) -> None:
        self._connection.execute(create_index(table, columns))

    def rewrite(self, table: Table, change: Callable[[Row], Row]) -> None:
        cursor = self._connection.execute(statements.scan(table, started=False), (-1,))
        rows = [change(row) for row in cursor.fetchall()]
        self._connection.executemany(statements.put(table), encoded(table, rows))
