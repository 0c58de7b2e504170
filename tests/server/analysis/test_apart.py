"""Answers laid together step by step are the answers to everything together."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.apart import Apart, Cause
from cmdb_server.projection.build import from_rows
from cmdb_server.projection.projection import Projection
from tests import worlds
from tests.wired import wired_worlds
from tests.worlds import World


def built(world: World) -> Projection:
    return from_rows(*world.rows(), worlds.rules(), 7, worlds.NOW)


def apart(graph: Projection, excluded: list[int] | None = None) -> Apart:
    return Apart(graph, excluded or [], np.zeros(len(graph), np.uint8))


def some_cause(dice: random.Random, cis: list[int]) -> Cause:
    some = frozenset(dice.choices(cis, k=dice.randrange(1, 3)))
    return Cause(some, frozenset()) if dice.random() < 0.8 else Cause(frozenset(), some)


@settings(max_examples=120, deadline=None)
@given(st.one_of(worlds.worlds(24), wired_worlds(16)), st.integers(0, 2**32))
def test_each_step_tells_what_changed_and_all_that_is(world: World, seed: int) -> None:
    dice, graph = random.Random(seed), built(world)
    cis = [ci for ci in range(len(graph)) if not graph.retired[ci]]
    spared = [ci for ci in cis if dice.random() < 0.1]
    free = [ci for ci in cis if ci not in spared]
    if not free:
        return
    going = apart(graph, spared)
    known = np.zeros(len(graph), np.uint8)
    every = [some_cause(dice, free) for _ in range(6)]
    for _ in range(8):
        causes = frozenset(dice.sample(every, dice.randrange(6)))
        changed, before, now = going.go(causes)
        assert (known[changed] == before).all()
        assert (before != now).all()
        known[changed] = now
        truth = np.zeros(len(graph), np.uint8)
        answer = going.whole(causes)
        truth[answer.ci] = answer.state
        assert (known == truth).all()
        assert (going.told == truth).all()


def farm(pools: int) -> Projection:
    """Pools of two apart from one another."""
    cis = [worlds.ci_row(f"{kind}{number}") for number in range(pools) for kind in ("a", "b", "lb")]
    relations = [
        worlds.relation_row(f"lb{number}", "depends_on", f"{kind}{number}", "pool")
        for number in range(pools)
        for kind in ("a", "b")
    ]
    rows = [
        (*row[:5], {"gate": {"depends_on": {"kind": "at_least", "k": 1}}} if row[2].startswith("lb") else {}, *row[6:])
        for row in cis
    ]
    return from_rows(rows, relations, worlds.rules(), 7, worlds.NOW)


def cause(*cis: int) -> Cause:
    return Cause(frozenset(cis), frozenset())


def test_what_meets_nowhere_is_answered_once_each() -> None:
    going = apart(farm(8))
    for first in range(8):
        for second in range(8):
            changed, _, _ = going.go(frozenset((cause(3 * first), cause(3 * second))))
            assert len(changed) <= 4
    assert going.computed == 8


def test_what_meets_is_answered_together() -> None:
    going = apart(farm(3))
    changed, _, now = going.go(frozenset((cause(0), cause(1), cause(3))))
    assert (changed.tolist(), now.tolist()) == ([0, 1, 2, 3], [2, 2, 2, 2])
    assert going.computed == 4
    changed, before, now = going.go(frozenset((cause(1), cause(3))))
    assert (changed.tolist(), before.tolist(), now.tolist()) == ([0, 2], [2, 2], [0, 0])
    assert going.computed == 4
