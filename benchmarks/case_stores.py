"""The graphs of published cases by way of a store: written to it all at once, and answered from what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import NAMESPACE_OID, uuid5

from benchmarks.case_graph import Graph, Verdict
from cmdb_server.projection.build import from_rows, pages
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import Rules
from cmdb_server.store.neo4j import Neo4jStore
from cmdb_server.store.neo4j.schema import erase
from cmdb_server.store.port import Row, Store, Writing
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, RELATION
from tests import neo4j_server

Through = Callable[[Sequence[Row], Sequence[Row], Rules], Projection]


def from_store(store: Store, run: Callable[[], list[Verdict]]) -> list[Verdict]:
    """The verdicts of ``run`` with every graph read from ``store``, which must be empty. Runs twice: to learn which
    graphs there are, and to answer."""
    graphs = _Graphs()
    with _through(graphs.note):
        run()
    store.write(graphs.put)
    graphs.take(
        *store.read(lambda tx: tuple([row for page in pages(tx, table) for row in page] for table in (CI, RELATION)))
    )
    with _through(graphs.given):
        return run()


@contextmanager
def _through(make: Through) -> Iterator[None]:
    before = Graph.__dict__["through"]
    Graph.through = staticmethod(make)
    try:
        yield
    finally:
        Graph.through = before


@dataclass
class _Graphs:
    """Each graph once, known by its rows. In the store its CIs have ids of their own."""

    told: dict[str, tuple[Sequence[Row], Sequence[Row]]] = field(default_factory=dict)
    stored: dict[str, tuple[list[Row], list[Row]]] = field(default_factory=dict)

    def note(self, cis: Sequence[Row], relations: Sequence[Row], rules: Rules) -> Projection:
        self.told[_key(cis, relations)] = cis, relations
        return from_rows(cis, relations, rules, 1, 0)

    def put(self, tx: Writing) -> None:
        for key, (cis, relations) in self.told.items():
            tx.put(CI, [(_own(key, row[0]), *row[1:]) for row in cis])
            tx.put(RELATION, [(_own(key, row[0]), row[1], _own(key, row[2]), *row[3:]) for row in relations])

    def take(self, cis: Sequence[Row], relations: Sequence[Row]) -> None:
        of = {_own(key, row[0]): (key, row[0]) for key, (rows, _) in self.told.items() for row in rows}
        self.stored = {key: ([], []) for key in self.told}
        for row in cis:
            key, id_ = of[row[0]]
            self.stored[key][0].append((id_, *row[1:]))
        for row in relations:
            key, id_ = of[row[0]]
            self.stored[key][1].append((id_, row[1], of[row[2]][1], *row[3:]))

    def given(self, cis: Sequence[Row], relations: Sequence[Row], rules: Rules) -> Projection:
        return from_rows(*self.stored[_key(cis, relations)], rules, 1, 0)


def _key(cis: Sequence[Row], relations: Sequence[Row]) -> str:
    return str(uuid5(NAMESPACE_OID, repr((cis, relations))))


def _own(key: str, id_: str) -> str:
    return str(uuid5(NAMESPACE_OID, f"{key} {id_}"))


@contextmanager
def sqlite() -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "cmdb.sqlite")
        try:
            yield store
        finally:
            store.close()


@contextmanager
def neo4j() -> Iterator[Store]:
    """On a server of its own, which ``tests.neo4j_server.missing`` must not say cannot be had."""
    with TemporaryDirectory() as folder:
        server = neo4j_server.own(Path(folder))
        try:
            erase(server.uri, server.user, server.password)
            store = Neo4jStore(server.uri, server.user, server.password)
            try:
                yield store
            finally:
                store.close()
        finally:
            server.stop()
