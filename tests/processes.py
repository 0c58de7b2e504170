"""Processes of a server that share one store's projection: each has a ``Projections`` of its own, as it would have."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.projection import projections as following
from cmdb_server.projection.build import build
from cmdb_server.projection.columns import Mapped
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.sharing import Sharing
from cmdb_server.store.port import Store, Writing
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, FEED, RELATION, SNAPSHOT
from tests.worlds import NOW, ci_row, dense_world, relation_row, rules

PATIENCE_S = 60
PARTS: list[Sharing] = []


def dense_store(folder: Path) -> Iterator[SqliteStore]:
    """For a fixture: a store with a small dense world, closed once nobody is at it any more."""
    made = SqliteStore(folder / "cmdb.db")
    cis, relations = dense_world(3, 40).rows()
    made.write(lambda tx: (tx.put(CI, cis), tx.put(RELATION, relations)))
    yield made
    for part in PARTS:
        wait_for(lambda part=part: not part._busy.locked())  # type: ignore[misc]
    PARTS.clear()
    made.close()


def process(store: Store, folder: Path) -> Projections:
    """What one server process has."""
    PARTS.append(Sharing(store, folder, worth=1, every_s=0))
    return Projections(store, rules(), lambda: NOW, sharing=PARTS[-1])


def relate(store: Store, from_: str, to: str) -> None:
    row = relation_row(from_, "depends_on", to)

    def work(tx: Writing) -> None:
        tx.put(RELATION, [row])
        tx.insert(FEED, [(tx.revision, "relation", " ".join(row[:3]), 0)])

    store.write(work)


def add(store: Store, name: str) -> None:
    row = ci_row(name)
    store.write(lambda tx: (tx.put(CI, [row]), tx.insert(FEED, [(tx.revision, "ci", row[0], 0)])))


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def is_mapped(projection: Projection) -> bool:
    return isinstance(projection.gates.room, Mapped)


def shared(projections: Projections) -> Projection:
    """Its projection, once the memory of that is shared."""
    wait_for(lambda: is_mapped(projections.current()))
    return projections.current()


def must_not_build(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Projection:
        raise AssertionError("it is there to be opened")

    monkeypatch.setattr(following, "build", refuse)


def built(store: Store) -> Projection:
    return store.read(lambda reading: build(reading, rules(), NOW))


def vouched(store: Store) -> list[str]:
    return [row[0] for row in store.read(lambda reading: reading.scan(SNAPSHOT))]
