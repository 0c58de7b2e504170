"""A projection brought forward change by change equals one built anew, and the old one stays as it was."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.errors import NotFound
from cmdb_server.projection import overlay
from cmdb_server.projection.build import build
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.store.tables import CI, FEED, RELATION, Table
from tests import worlds

DAY = 86_400_000
LIFE = {"server": 30 * DAY}


class MemoryStore:
    """Rows in memory: enough of the store port to follow it. The real stores are held to it in ``store_contract``."""

    def __init__(self) -> None:
        self.rows: dict[Table, dict[tuple[Any, ...], tuple[Any, ...]]] = defaultdict(dict)
        self.revision = 1

    def read(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    def get(self, table: Table, keys: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        return {key: self.rows[table][key] for key in keys if key in self.rows[table]}

    def find(self, table: Table, columns: tuple[str, ...], values: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        places, wanted = [table.position(name) for name in columns], set(values)
        return [row for row in self.rows[table].values() if tuple(row[place] for place in places) in wanted]

    def scan(self, table: Table, after: Any = None, limit: int = 1000) -> list[tuple[Any, ...]]:
        keys = sorted(key for key in self.rows[table] if after is None or key > after)
        return [self.rows[table][key] for key in keys[:limit]]

    def between(self, table: Table, column: str, low: int, high: int) -> Iterator[tuple[Any, ...]]:
        return iter([row for row in self.rows[table].values() if low < row[0] <= high])

    def feed(self, kind: str, id_: str) -> None:
        self.rows[FEED][self.revision, kind, id_] = (self.revision, kind, id_, 0)

    def put_ci(self, row: tuple[Any, ...]) -> None:
        self.rows[CI][row[:1]] = row
        self.feed("ci", row[0])

    def put_relation(self, row: tuple[Any, ...]) -> None:
        self.rows[RELATION][row[:3]] = row
        self.feed("relation", " ".join(row[:3]))

    def drop_relation(self, key: tuple[Any, ...]) -> None:
        del self.rows[RELATION][key]
        self.feed("relation", " ".join(key))

    def drop_ci(self, id_: str) -> None:
        for key in [key for key in self.rows[RELATION] if id_ in (key[0], key[2])]:
            self.drop_relation(key)
        del self.rows[CI][id_,]
        self.feed("ci", id_)


def rules() -> Rules:
    made = worlds.rules()
    made.retired_ms = LIFE
    return made


def fill(store: MemoryStore, world: worlds.World) -> None:
    cis, relations = world.rows()
    for row in cis:
        store.put_ci(row)
    for row in relations:
        store.put_relation(row)


def change(store: MemoryStore, dice: random.Random, fresh: Iterator[int]) -> None:
    """One random change, as a transaction of its own."""
    store.revision += 1
    cis = list(store.rows[CI].values())
    what = dice.choice(
        ("relate", "relate", "relate", "unrelate", "unrelate", "new", "reclass", "end", "delete", "gate", "drop")
    )
    one, other = dice.choice(cis), dice.choice(cis)
    keys = list(store.rows[RELATION])
    if what == "relate":
        type_ = dice.choice(("depends_on", "member_of", "peers_with"))
        group = dice.choice((None, "pool"))
        store.put_relation((one[0], type_, other[0], group, dice.choice((None, 2)), 1.0, 0, 0, 1))
    elif what == "unrelate" and keys:
        store.drop_relation(dice.choice(keys))
    elif what == "new":
        row = worlds.ci_row(f"new {next(fresh)}", dice.choice(worlds.CLASSES))
        store.put_ci(row)
        store.put_relation((row[0], "depends_on", one[0], None, None, 1.0, 0, 0, 1))
    elif what == "reclass":
        store.put_ci((*one[:1], dice.choice((*worlds.CLASSES, "other")), *one[2:]))
    elif what == "end":
        store.put_ci((*one[:7], None if one[7] is not None else worlds.NOW - dice.choice((1, 20, 60)) * DAY, 0))
    elif what == "delete":
        at = worlds.NOW - dice.choice((0, 1, 20)) * DAY
        store.put_ci((*one[:7], *((None, 0) if one[8] else (at, 1))))
    elif what == "gate":
        store.put_ci((*one[:5], {"gate": worlds.dice_gates(dice)} if dice.random() < 0.7 else {}, *one[6:]))
    elif what == "drop" and len(cis) > 2:
        store.drop_ci(one[0])


Gates = dict[tuple[str, str, str], tuple[Any, dict[str, int]]]


def gates(projection: Projection) -> Gates:
    """Every gate in use, by names alone."""
    found: Gates = {}
    for ci in range(len(projection)):
        for gate in projection.gates_by(ci).tolist():
            key = (projection.id(ci), projection.relation_type(gate), projection.key_name(gate))
            members = zip(projection.members_of(gate).tolist(), projection.weights_of(gate).tolist(), strict=True)
            assert key not in found
            found[key] = (projection.definition(gate), {projection.id(ci): weight for ci, weight in members})
    return found


def effects(projection: Projection, ids: list[str]) -> dict[str, dict[str, int]]:
    """The answer to each CI's failure; each verified."""
    found = {}
    for id_ in ids:
        answer = impact(projection, [projection.ci(id_)])
        assert check(projection, answer.certificate()) == []
        found[id_] = {
            projection.id(ci): state for ci, state in zip(answer.ci.tolist(), answer.state.tolist(), strict=True)
        }
    return found


@settings(max_examples=80, deadline=None)
@given(worlds.worlds(15), st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 3))
def test_following_equals_building_anew(world: worlds.World, seed: int, steps: int, each: int) -> None:
    store, dice, fresh = MemoryStore(), random.Random(seed), iter(range(1000))
    fill(store, world)
    projections = Projections(store, rules(), lambda: worlds.NOW)  # type: ignore[arg-type]
    old = projections.current()
    before = gates(old)
    for _ in range(steps):
        for _ in range(each):
            change(store, dice, fresh)
        followed = projections.current()
        built = build(store, rules(), worlds.NOW)  # type: ignore[arg-type]
        assert followed.revision == built.revision == store.revision
        assert gates(followed) == gates(built)
        ids = [row[0] for row in store.rows[CI].values()]
        assert effects(followed, ids) == effects(built, ids)
        assert gates(overlay.compacted(followed)) == gates(built)
    assert gates(old) == before


def test_one_that_retires_leaves_without_any_revision() -> None:
    store, now = MemoryStore(), [worlds.NOW]
    fill(store, worlds.World(2, ((1, "depends_on", 0, None, None),), {}))
    ended = store.rows[CI][worlds.name_id("0"),]
    store.put_ci((*ended[:7], worlds.NOW - 29 * DAY, 0))
    projections = Projections(store, rules(), lambda: now[0])  # type: ignore[arg-type]
    first = projections.current()
    assert len(impact(first, [first.ci(ended[0])]).down) == 2
    assert projections.current() is first
    now[0] += 2 * DAY
    assert projections.current().revision == first.revision
    assert len(impact(projections.current(), [first.ci(ended[0])]).down) == 1
    store.revision += 1
    store.put_ci(ended)
    assert len(impact(projections.current(), [first.ci(ended[0])]).down) == 2


def test_a_ci_taken_out_is_not_found() -> None:
    store = MemoryStore()
    fill(store, worlds.World(2, (), {}))
    projections = Projections(store, rules(), lambda: worlds.NOW)  # type: ignore[arg-type]
    projections.current()
    store.revision += 1
    store.drop_ci(worlds.name_id("1"))
    with pytest.raises(NotFound, match=worlds.name_id("1")):
        projections.current().ci(worlds.name_id("1"))
    assert projections.current().id(projections.current().ci(worlds.name_id("0"))) == worlds.name_id("0")


def test_a_hub_keeps_its_list_when_a_consumer_changes_elsewhere() -> None:
    store = MemoryStore()
    fill(store, worlds.World(50, tuple((ci, "depends_on", 0, None, None) for ci in range(1, 50)), {}))
    projections = Projections(store, rules(), lambda: worlds.NOW)  # type: ignore[arg-type]
    old = projections.current()
    store.revision += 1
    store.put_relation(worlds.relation_row("7", "depends_on", "8"))
    new = projections.current()
    hub = old.ci(worlds.name_id("0"))
    assert new.direct_of.first[hub] == old.direct_of.first[hub]
    assert len(new.direct) - len(old.direct) < 5
