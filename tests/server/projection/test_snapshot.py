"""A projection that comes out of files is the one that went in, and goes on from there like any other."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.projection import snapshot
from cmdb_server.projection.build import build
from cmdb_server.projection.columns import Mapped
from cmdb_server.projection.edited import Edits, edited
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import brought_forward
from cmdb_server.projection.rules import Rules
from cmdb_server.projection.snapshot import Snapshot
from cmdb_server.store.tables import CI
from tests import worlds
from tests.server.projection.test_overlay import LIFE, MemoryStore, change, effects, fill, gates, rules
from tests.wired import wired_worlds
from tests.worlds import NOW, World, name_id


@pytest.fixture(autouse=True, scope="module")
def hasty() -> Iterator[None]:
    """What is durable is tried with the store's files; here it would only take long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def kept_and_opened(projection: Projection, with_: Rules | None = None) -> Projection:
    """The files are removed at once: what is open must not need them."""
    with TemporaryDirectory() as folder:
        name = snapshot.write(Path(folder), Snapshot(projection))
        found = snapshot.opened(Path(folder), name, with_ or rules())
    assert found is not None
    return found.projection


def told(projection: Projection) -> dict[str, tuple[object, ...]]:
    """What it says of each CI beside its gates."""
    return {
        projection.id(ci): (
            projection.names[ci], projection.class_name(ci), int(projection.ended_at[ci]), bool(projection.retired[ci]),
            projection.overrides.get(ci), projection.refused.get(ci), projection.member_rules.get(ci),
        )
        for ci in range(len(projection)) if projection.ended_at[ci] != -2
    }  # fmt: skip


def assert_same(one: Projection, other: Projection) -> None:
    assert (one.revision, one.next_retirement) == (other.revision, other.next_retirement)
    assert told(one) == told(other)
    assert gates(one) == gates(other)
    ids = list(told(one))
    assert [one.id(ci) for ci in one.index.find(ids).tolist()] == ids


@settings(max_examples=40, deadline=None)
@given(worlds.worlds(12), st.integers(0, 2**32), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_opened_and_brought_forward_equals_built(world: World, seed: int, steps: list[int]) -> None:
    store, dice, fresh = MemoryStore(), random.Random(seed), iter(range(1000))
    fill(store, world)
    followed = build(store, rules(), NOW)  # type: ignore[arg-type]
    for each in steps:
        _change(store, dice, fresh, each)
        followed = brought_forward(followed, store, NOW)  # type: ignore[arg-type]
        opened = kept_and_opened(followed)
        assert_same(opened, build(store, rules(), NOW))  # type: ignore[arg-type]
        before = gates(opened)
        _change(store, dice, fresh, each)
        forward, built = brought_forward(opened, store, NOW), build(store, rules(), NOW)  # type: ignore[arg-type]
        assert_same(forward, built)
        ids = list(told(built))
        assert effects(forward, ids) == effects(built, ids)
        assert gates(opened) == before
        followed = opened if dice.random() < 0.5 else followed


def _change(store: MemoryStore, dice: random.Random, fresh: Iterator[int], times: int) -> None:
    for _ in range(times):
        change(store, dice, fresh)


def test_others_who_map_the_same_files_do_not_see_one_grow(tmp_path: Path) -> None:
    store = MemoryStore()
    fill(store, worlds.dense_world(1, 30))
    name = snapshot.write(tmp_path, Snapshot(build(store, rules(), NOW)))  # type: ignore[arg-type]
    found = [snapshot.opened(tmp_path, name, rules()) for _ in range(2)]
    one, other = (each.projection for each in found if each is not None)
    before = {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
    store.revision += 1
    store.put_relation(worlds.relation_row("3", "depends_on", "4"))
    moved = brought_forward(one, store, NOW)  # type: ignore[arg-type]
    assert moved.gates.room is one.gates.room and len(moved.gates) > len(one.gates)
    assert not other.gates.room.columns[0][len(other.gates) :].any()
    assert {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} == before
    assert_same(brought_forward(other, store, NOW), moved)  # type: ignore[arg-type]


def test_a_change_of_relations_copies_no_column_of_cis() -> None:
    store = MemoryStore()
    fill(store, worlds.dense_world(2, 30))
    opened = kept_and_opened(build(store, rules(), NOW))  # type: ignore[arg-type]
    store.revision += 1
    store.put_relation(worlds.relation_row("3", "depends_on", "4"))
    store.put_ci(store.rows[CI][name_id("5"),])
    moved = brought_forward(opened, store, NOW)  # type: ignore[arg-type]
    for name in (*snapshot.BY_CI, "index"):
        assert getattr(moved, name) is getattr(opened, name)
    assert moved.names.changed == {}


def test_a_what_if_copies_nothing_that_is_mapped_and_leaves_no_trace() -> None:
    store = MemoryStore()
    fill(store, worlds.dense_world(4, 30))
    plain = build(store, rules(), NOW)  # type: ignore[arg-type]
    opened = kept_and_opened(plain)
    row = worlds.relation_row("3", "depends_on", "4")
    edits = Edits(removed=frozenset({name_id("1")}), relations={row[:3]: row})
    before = gates(opened)
    asked, expected = edited(opened, edits), edited(plain, edits)
    assert gates(asked) == gates(expected)
    assert gates(opened) == before
    assert not opened.gates.room.columns[0][len(opened.gates) :].any()
    store.revision += 1
    store.put_relation(worlds.relation_row("7", "depends_on", "8"))
    grown = brought_forward(opened, store, NOW)  # type: ignore[arg-type]
    assert gates(edited(grown, Edits(removed=edits.removed))) == gates(
        edited(build(store, rules(), NOW), Edits(removed=edits.removed))  # type: ignore[arg-type]
    )
    assert gates(grown) == gates(build(store, rules(), NOW))  # type: ignore[arg-type]


def test_many_what_ifs_at_once_are_answered_though_not_all_of_them_map_the_files() -> None:
    store = MemoryStore()
    fill(store, worlds.dense_world(5, 12))
    opened = kept_and_opened(build(store, rules(), NOW))  # type: ignore[arg-type]
    rows = [worlds.relation_row(str(n), "depends_on", str((n + 5) % 12)) for n in range(12)]
    asked = [edited(opened, Edits(relations={row[:3]: row})) for row in rows]
    plain = build(store, rules(), NOW)  # type: ignore[arg-type]
    rooms = [isinstance(one.gates.room, Mapped) for one in asked]
    assert any(rooms) and not all(rooms)
    for one, row in zip(asked, rows, strict=True):
        assert gates(one) == gates(edited(plain, Edits(relations={row[:3]: row})))


@pytest.mark.parametrize(
    "other",
    [
        {"retired_ms": LIFE},
        {"class_gates": {"server": {}}},
        {"ancestors": {"server": ("thing",)}},
        {"forwarding": frozenset({"router"})},
        {"flows": rules().flows[1:]},
        {"flows": (replace(rules().flows[0], link=True), *rules().flows[1:])},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_other_rules_made_is_not_taken(tmp_path: Path, other: dict[str, object]) -> None:
    name = snapshot.write(tmp_path, Snapshot(World(3, (), {}).projection()))
    made = worlds.rules()
    assert snapshot.opened(tmp_path, name, made) is not None
    assert snapshot.opened(tmp_path, name, replace(made, **other)) is None  # type: ignore[arg-type]


def test_rules_are_told_apart_by_what_they_are_and_not_by_what_they_met() -> None:
    one, other = rules(), rules()
    one.classes.code("met")
    one.groups.code("met")
    assert snapshot.made_with(one) == snapshot.made_with(other)


def test_nothing_that_is_retired_is_forgotten() -> None:
    store, day = MemoryStore(), 86_400_000
    fill(store, World(2, ((1, "depends_on", 0, None, None),), {}))
    ended = store.rows[CI][name_id("0"),]
    store.put_ci((*ended[:7], NOW - 29 * day, 0))
    opened = kept_and_opened(build(store, rules(), NOW))  # type: ignore[arg-type]
    assert opened.next_retirement == NOW + day and len(opened.gates) == 1
    later = brought_forward(opened, store, NOW + 2 * day)  # type: ignore[arg-type]
    assert gates(later) == gates(build(store, rules(), NOW + 2 * day)) == {}  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(wired_worlds(16), st.integers(0, 2**32))
def test_the_network_comes_along_and_is_left_behind_when_it_changes(world: World, seed: int) -> None:
    store, dice, fresh = MemoryStore(), random.Random(seed), iter(range(1000))
    fill(store, world)
    plain = build(store, rules(), NOW)  # type: ignore[arg-type]
    opened = kept_and_opened(plain)
    assert parts(opened.network()) == parts(plain.network())
    for _ in range(3):
        _change(store, dice, fresh, 2)
        opened, plain = brought_forward(opened, store, NOW), build(store, rules(), NOW)  # type: ignore[arg-type]
        ids = list(told(plain))
        assert effects(opened, ids) == effects(plain, ids)


def parts(value: Any) -> Any:
    """A network's columns by name."""
    if not is_dataclass(value):
        return value.tolist() if isinstance(value, np.ndarray) else value
    return {field.name: parts(getattr(value, field.name)) for field in fields(value)}


def test_an_empty_projection_can_be_kept() -> None:
    assert len(kept_and_opened(World(1, (), {}).projection(), worlds.rules())) == 1
    store = MemoryStore()
    assert np.array_equal(kept_and_opened(build(store, rules(), NOW)).class_of, np.empty(0, np.int32))  # type: ignore[arg-type]
