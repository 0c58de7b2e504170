"""The present projection with what was otherwise then is the one that was built then."""

from __future__ import annotations

import random
from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.projection.build import build
from cmdb_server.projection.projections import brought_forward
from cmdb_server.projection.rewound import rewound
from cmdb_server.store.draft import Draft
from cmdb_server.store.tables import CI, RELATION
from tests import worlds
from tests.server.projection.test_overlay import LIFE, MemoryStore, change, effects, fill, gates, rules
from tests.server.projection.test_snapshot import assert_same, told
from tests.worlds import NOW, World


def taken_back(now: MemoryStore, then: MemoryStore) -> Draft:
    """What ``now`` holds, changed into what ``then`` did."""
    draft = Draft(now, then.revision)  # type: ignore[arg-type]
    for table in (CI, RELATION):
        was, is_ = then.rows[table], now.rows[table]
        draft.delete(table, [key for key in is_ if key not in was])
        draft.put(table, [row for key, row in was.items() if is_.get(key) != row])
    return draft


@settings(max_examples=60, deadline=None)
@given(
    worlds.worlds(12),
    st.integers(0, 2**32),
    st.integers(1, 8),
    st.sampled_from([0, LIFE["server"] // 2, LIFE["server"] * 2]),
)
def test_it_is_what_was_built_then(world: World, seed: int, steps: int, later: int) -> None:
    store, dice, fresh = MemoryStore(), random.Random(seed), iter(range(1000))
    fill(store, world)
    then = deepcopy(store)
    built = build(then, rules(), NOW)  # type: ignore[arg-type]
    present = build(store, rules(), NOW)  # type: ignore[arg-type]
    for _ in range(steps):
        change(store, dice, fresh)
        present = brought_forward(present, store, NOW + later)  # type: ignore[arg-type]
    before = (gates(present), told(present))
    past = rewound(present, taken_back(store, then), NOW)
    assert_same(past, built)
    ids = list(told(built))
    assert effects(past, ids) == effects(built, ids)
    change(store, dice, fresh)
    after = brought_forward(present, store, NOW + later)  # type: ignore[arg-type]
    assert_same(after, build(store, rules(), NOW + later))  # type: ignore[arg-type]
    assert (gates(present), told(present)) == before


def test_a_present_one_of_another_revision_lends_its_rules_alone() -> None:
    store = MemoryStore()
    fill(store, worlds.dense_world(1, 20))
    other = build(MemoryStore(), rules(), NOW)  # type: ignore[arg-type]
    store.revision = other.revision + 1
    assert_same(rewound(other, Draft(store, store.revision), NOW), build(store, rules(), NOW))  # type: ignore[arg-type]
