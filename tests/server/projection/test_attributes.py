from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cmdb_server.model.selector_tree import Field
from cmdb_server.projection import attributes
from cmdb_server.projection.attributes import MOST, Attributes, Lists, Numbers, Texts
from cmdb_server.projection.projections import Projections
from cmdb_server.store.tables import CI
from tests import worlds
from tests.server.projection.test_overlay import MemoryStore

OS, CPUS, ADDRESSES = Field("os_name", "string"), Field("cpu_count", "number"), Field("ip_addresses", "strings")


def made(*told: dict[str, Any]) -> tuple[MemoryStore, Projections]:
    store = MemoryStore()
    for number, one in enumerate(told):
        store.put_ci(worlds.ci_row(str(number), attributes=one))
    return store, Projections(store, worlds.rules(), lambda: worlds.NOW)  # type: ignore[arg-type]


def columns(store: MemoryStore, projections: Projections, *wanted: Field) -> Any:
    projection = projections.current()
    return projections.attributes.columns(projection, store, wanted, relations=True)  # type: ignore[arg-type]


def test_an_older_version_keeps_its_columns_when_a_newer_one_is_made() -> None:
    store, projections = made({"os_name": "Debian", "ip_addresses": ["a", "b"]}, {"cpu_count": 4})
    old = columns(store, projections, OS, CPUS, ADDRESSES)
    places = [projections.current().ci(worlds.name_id(name)) for name in "01"]
    store.revision += 1
    store.put_ci(worlds.ci_row("0", attributes={"os_name": "AIX", "cpu_count": 2, "ip_addresses": ["c"]}))
    store.put_ci(worlds.ci_row("2", attributes={"os_name": "Debian"}))
    new = columns(store, projections, OS)
    texts: Texts = old.held[OS]
    assert [texts.values[code] if code >= 0 else None for code in texts.codes[places]] == ["Debian", None]
    lists: Lists = new.held[ADDRESSES]
    assert [lists.values[code] for code in lists.codes] == ["c"]
    assert new.held[OS].codes.shape == (3,) and old.held[OS].codes.shape == (2,)
    numbers: Numbers = new.held[CPUS]
    assert np.array_equal(numbers.values[places], [2, 4])
    assert np.isnan(old.held[CPUS].values[places[0]])


def test_rows_are_read_once_for_a_column_and_then_only_changed_ones() -> None:
    store, projections = made(*({"os_name": "Debian"} for _ in range(50)))
    columns(store, projections, OS)
    projections.current()
    reads: list[Any] = []
    store.scan = lambda *told: reads.append(told) or []  # type: ignore[method-assign, func-returns-value]
    store.revision += 1
    store.put_ci(worlds.ci_row("7", attributes={"os_name": "AIX"}))
    assert len(columns(store, projections, OS).held[OS].values) == 2
    assert reads == []


def test_a_reader_of_the_past_is_sent_elsewhere() -> None:
    store, projections = made({"os_name": "Debian"})
    before = projections.current()
    store.revision += 1
    store.put_ci(worlds.ci_row("1"))
    columns(store, projections, OS)
    store.revision -= 1
    assert projections.attributes.columns(before, store, [OS], relations=False) is None  # type: ignore[arg-type]


def test_only_so_many_columns_and_no_dictionary_of_the_past_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes, "SPARE_VALUES", 16)
    store, projections = made({"os_name": "Debian"})
    for number in range(MOST + 5):
        columns(store, projections, Field(f"a{number}", "string"))
    assert len(columns(store, projections, OS).held) <= MOST + 1
    for number in range(40):
        store.revision += 1
        store.put_ci((*worlds.ci_row("0")[:5], {"os_name": f"os-{number}"}, 1, None))
        projections.attributes.columns(projections.current(), store, [OS], relations=False)  # type: ignore[arg-type]
    assert len(columns(store, projections, OS).held[OS].values) < 40
    assert store.rows[CI]


def test_columns_begin_anew_with_another_numbering() -> None:
    store, projections = made({"os_name": "Debian"}, {"os_name": "AIX"})
    columns(store, projections, OS)
    other = Projections(store, worlds.rules(), lambda: worlds.NOW)  # type: ignore[arg-type]
    other.attributes = projections.attributes
    store.revision += 1
    store.drop_ci(worlds.name_id("0"))
    held = Attributes.columns(other.attributes, other.current(), store, [OS], relations=False)  # type: ignore[arg-type]
    assert held is not None and held.held[OS].codes.shape == (1,)  # type: ignore[union-attr]
