"""What migrations do to a Neo4j store: each step leaves alone what an interrupted one has done already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from cmdb_server.store.neo4j import schema
from cmdb_server.store.neo4j.naming import label_of
from cmdb_server.store.port import Row
from cmdb_server.store.tables import RELATION, Table


class Executing(Protocol):
    def __call__(self, query: str, **parameters: Any) -> Any: ...


class Neo4jEvolution:
    """``Evolving`` by three ways of changing a database."""

    def __init__(
        self,
        execute: Executing,
        change_schema: Callable[[list[str]], None],
        rewrite: Callable[[Table, Callable[[Row], Row]], None],
    ) -> None:
        self._execute = execute
        self._change_schema = change_schema
        self.rewrite = rewrite

    def add_table(self, table: Table) -> None:
        self._change_schema(schema.create_table(table))

    def add_column(self, table: Table, column: str, default: Any) -> None:
        if default is None:
            return
        if dict(table.columns)[column] == "json":
            default = msgspec.json.encode(default).decode()
        match = (
            "(:CI)-[n]->(:CI) WHERE n.revision IS NOT NULL AND" if table is RELATION else f"(n:{label_of(table)}) WHERE"
        )
        self._execute(f"MATCH {match} n.`{column}` IS NULL SET n.`{column}` = $value", value=default)

    def add_index(self, table: Table, columns: tuple[str, ...]) -> None:
        self._change_schema([schema.index(table, columns)])
        if len(columns) > 1:
            self.rewrite(table, lambda row: row)  # several columns are found by one text, which is to be written
