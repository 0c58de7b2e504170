"""A store that is told of scans, and what it holds then, by name."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cmdb_schemas.report import Observation
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import Ack, ingest
from cmdb_server.store import tables
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.port import Row, Store
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, RELATION, TABLES, Table
from tests.factories import START, report

MINUTE = 60_000
DAY = 86_400_000
ADMIN = Caller("tests", "admin")


def minute(number: float) -> int:
    return START + int(number * MINUTE)


class Estate:
    """Reports are received the moment they were observed, unless ``now`` says otherwise."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.told = 0

    def tell(
        self,
        at: float,
        *seen: Observation,
        now: float | None = None,
        caller: Caller = ADMIN,
        id_: str = "",
        **more: Any,
    ) -> Ack:
        """Take in a report observed ``at`` minutes after the start; a complete one without another ``coverage``."""
        self.told += 1
        received = minute(at if now is None else now)
        more = {"coverage": {"scope": "complete"}, "sent": received, **more}
        return ingest(self.store, report(id_ or f"report-{self.told}", minute(at), seen, **more), caller, received)

    def rows(self, table: Table) -> list[Row]:
        return self.store.read(lambda tx: tx.scan(table, None, 100_000))

    def sizes(self) -> dict[str, int]:
        """table -> number of rows."""
        return self.store.read(lambda tx: {table.name: tx.count(table) for table in TABLES})

    def digest(self) -> str:
        return self.store.read(graph_digest)

    def cis(self, name: str, class_: str | None = None) -> list[dict[str, Any]]:
        """The CIs of a name, as column -> value."""
        found = [named(CI, row) for row in self.rows(CI)]
        return [ci for ci in found if ci["name"] == name and class_ in (None, ci["class"])]

    def ci(self, name: str, class_: str | None = None) -> dict[str, Any]:
        (found,) = self.cis(name, class_)
        return found

    def part(self, host: str, name: str) -> dict[str, Any]:
        """A host's component."""
        (found,) = [ci for ci in self.cis(name) if ci["parent"] == self.ci(host)["id"]]
        return found

    def alive(self) -> set[str]:
        """The names of the hosts that some source still claims."""
        return {ci[2] for ci in self.rows(CI) if not ci[3] and ci[1] != "software_package" and ci[7] is None}

    def relations(self, *types: str) -> set[tuple[str, str, str]]:
        """Relations of these types, by the names of their ends."""
        names = {row[0]: row[2] for row in self.rows(CI)}
        return {(names[row[0]], row[1], names[row[2]]) for row in self.rows(RELATION) if row[1] in types}


def named(table: Table, row: Row) -> dict[str, Any]:
    return dict(zip([column for column, _ in table.columns], row, strict=True))


def open_ties(estate: Estate) -> list[str]:
    """The far ends that nobody is known to be."""
    return sorted(row[4] for row in estate.rows(tables.TIE) if None in row[9:11])


def history(estate: Estate) -> set[tuple[str, str]]:
    """Every row of the history, as text."""
    kinds: Iterable[Table] = (tables.FACT, tables.CLAIM, tables.MEMBERSHIP)
    return {(table.name, repr(row)) for table in kinds for row in estate.rows(table)}


@contextmanager
def opened() -> Iterator[Estate]:
    """On an embedded store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "cmdb.db")
        yield Estate(store)
        store.close()
