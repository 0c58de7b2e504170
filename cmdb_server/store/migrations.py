"""How a store of an older schema becomes one of the present.

A store keeps the version of its schema. Opening it applies what is missing, in order; a store newer than the software
is refused. SQLite does all of it in one transaction; Neo4j cannot change schema and data in one, so each step must
leave a store alone that already had it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from cmdb_server.errors import SettingsError
from cmdb_server.store.port import Row
from cmdb_server.store.tables import SCHEMA_VERSION, TABLES, Table


class Evolving(Protocol):
    """What a migration can do to a store. ``table`` is always the table as it is after the step."""

    def add_table(self, table: Table) -> None: ...

    def add_column(self, table: Table, column: str, default: Any) -> None:
        """Give every row ``default`` in a column that is new."""

    def add_index(self, table: Table, columns: tuple[str, ...]) -> None: ...

    def rewrite(self, table: Table, change: Callable[[Row], Row]) -> None:
        """Replace every row by what ``change`` makes of it; keys stay. Applied twice it must give the same."""


@dataclass(frozen=True, slots=True)
class Migration:
    """Brings a store from ``version - 1`` to ``version``."""

    version: int
    apply: Callable[[Evolving], None]


MIGRATIONS: tuple[Migration, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """What a store has to hold, and the ways there."""

    version: int = SCHEMA_VERSION
    tables: tuple[Table, ...] = TABLES
    migrations: tuple[Migration, ...] = MIGRATIONS

    def pending(self, found: int, where: object) -> list[Migration]:
        """The migrations from version ``found`` on. Raises ``SettingsError`` when there is no way."""
        if found > self.version:
            raise SettingsError(f"{where} has schema {found}, this software knows {self.version}: update the software")
        steps = sorted((step for step in self.migrations if step.version > found), key=lambda step: step.version)
        if [step.version for step in steps] != list(range(found + 1, self.version + 1)):
            raise SettingsError(f"{where} has schema {found}, from which no migration leads to {self.version}")
        return steps
