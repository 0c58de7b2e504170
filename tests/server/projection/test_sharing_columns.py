"""Columns of attributes that one process asked for are there for the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cmdb_server.model.selector_tree import Field
from cmdb_server.projection import attributes as attribute_columns
from cmdb_server.projection.attributes import Lists, Texts
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.sharing import Sharing
from cmdb_server.store.port import Reading, Store
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, FEED
from tests.processes import (
    add,
    dense_store,
    must_not_build,
    process,
    relate,
    shared,
    wait_for,
)
from tests.worlds import NOW, ci_row, name_id, rules


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    yield from dense_store(tmp_path)


OS, CPUS, ADDRESSES = Field("os_name", "string"), Field("cpu_count", "number"), Field("ip_addresses", "strings")


def columns(projections: Projections, *wanted: Field, relations: bool = False, seen: int | None = None) -> Any:
    def work(reading: Reading) -> Any:
        projection = projections.current(reading)
        held = projections.attributes.columns(projection, reading, wanted, relations=relations, seen=seen)
        assert held is not None
        return {
            projection.id(ci): {
                OS: _text(held.held[OS], ci) if OS in wanted else None,
                CPUS: float(held.held[CPUS].values[ci]) if CPUS in wanted and held.held[CPUS].known[ci] else None,
                ADDRESSES: _items(held.held[ADDRESSES], ci) if ADDRESSES in wanted else None,
                "ends": sorted(projection.id(far) for near, far in zip(*map(np.ndarray.tolist, held.ends(0)), strict=True)
                               if near == ci) if relations else None,
                "site": held.sightings and int(held.sightings.site[ci]),
            }
            for ci in range(len(projection))
        }  # fmt: skip

    return projections.store.read(work)


def _text(column: Texts, ci: int) -> str | None:
    return column.values[column.codes[ci]] if column.codes[ci] >= 0 else None


def _items(column: Lists, ci: int) -> list[Any] | None:
    return [column.values[code] for code in column.codes[column.owner == ci]] if column.known[ci] else None


def describe(store: Store, name: str, attributes: dict[str, Any]) -> None:
    row = ci_row(name, attributes=attributes)
    store.write(lambda tx: (tx.put(CI, [row]), tx.insert(FEED, [(tx.revision, "ci", row[0], 0)])))


def test_columns_that_somebody_asked_for_are_there_for_the_next(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = {"relations": True, "seen": NOW}
    for name, cpus in (("1", 4), ("2", 8)):
        describe(store, name, {"os_name": f"system {name}", "cpu_count": cpus, "ip_addresses": ["a", name]})
    one = process(store, tmp_path / "shared")
    shared(one)
    columns(one, OS, CPUS, ADDRESSES, **everything)
    add(store, "so that it looks again")
    wait_for(lambda: one.current() and one.sharing._base.held == one.attributes.names() != frozenset())  # type: ignore[union-attr]
    describe(store, "2", {"os_name": "another"})
    describe(store, "new", {"os_name": "system 1", "ip_addresses": ["b"]})
    relate(store, "1", "2")
    must_not_build(monkeypatch)
    monkeypatch.setattr(attribute_columns, "pages", must_not_build)
    other = process(store, tmp_path / "shared")
    found = columns(other, OS, CPUS, ADDRESSES, **everything)
    monkeypatch.undo()
    plain = Projections(store, rules(), lambda: NOW)
    assert found == columns(plain, OS, CPUS, ADDRESSES, **everything)
    assert found == columns(one, OS, CPUS, ADDRESSES, **everything)
    assert (found[name_id("1")][OS], found[name_id("2")][ADDRESSES]) == ("system 1", None)


def test_columns_of_several_processes_come_together(store: SqliteStore, tmp_path: Path) -> None:
    describe(store, "1", {"os_name": "system", "cpu_count": 2})
    (tmp_path / "shared").mkdir()
    one, other = (Projections(store, rules(), lambda: NOW, sharing=Sharing(store, tmp_path / "shared")) for _ in "ab")
    columns(one, OS)
    columns(other, CPUS)
    for giving, taking in ((one, other), (other, one)):
        assert giving.sharing is not None and taking.sharing is not None
        giving.sharing._keep(giving.state())
        found = taking.sharing._newest(rules())
        assert found is not None and taking.adopt(found[1])
    assert one.held() == other.held() == {OS, CPUS}
    plain = columns(Projections(store, rules(), lambda: NOW), OS, CPUS)
    assert columns(one, OS, CPUS) == columns(other, OS, CPUS) == plain
