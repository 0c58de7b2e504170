"""Collisions through redundancy against the definitions: a slow evaluation of every subset."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.collisions import collide, footprint, neighbourhood
from tests.wired import wired_world
from tests.worlds import World, evaluate, name_id, worlds

NAMES = "abcd"
POOL = {"depends_on/pool": {"kind": "at_least", "k": 1}}


def pools(seed: int) -> World:
    """Seven CIs, and over them pools of several of those before, of which some are needed."""
    dice = random.Random(seed)
    relations, gates = [], {}
    for consumer in range(7, 7 + dice.randrange(2, 7)):
        size = dice.randrange(2, 5)
        members = dice.sample(range(7 if dice.random() < 0.7 else consumer), size)
        relations += [(consumer, "depends_on", ci, "pool", None) for ci in members]
        gates[consumer] = {"depends_on/pool": {"kind": "at_least", "k": dice.randrange(1, size)}}
    return World(consumer + 1, tuple(relations), gates)


@st.composite
def questions(draw: st.DrawFn) -> tuple[World, set[int], dict[str, set[int]]]:
    seeds = st.integers(0, 100_000)
    world = draw(
        st.one_of(
            seeds.map(pools), seeds.map(pools), st.builds(wired_world, seeds, st.integers(4, 14)), worlds(18)
        )
    )  # fmt: skip
    sets = st.sets(st.integers(0, min(world.size, 7) - 1), min_size=1, max_size=2)
    return world, draw(sets), draw(st.dictionaries(st.sampled_from(NAMES), sets, min_size=1, max_size=4))


def subsets(names: set[str]) -> list[tuple[str, ...]]:
    return [group for size in range(1, len(names) + 1) for group in combinations(sorted(names), size)]


@settings(max_examples=150, deadline=None)
@given(questions())
def test_none_found_is_none_for_any_part_and_what_is_found_is_so(
    question: tuple[World, set[int], dict[str, set[int]]],
) -> None:
    world, mine, booked = question
    projection = world.projection()
    number = {ci: projection.ci(name_id(str(ci))) for ci in range(world.size) if ci not in world.retired}
    mine = {ci for ci in mine if ci in number}
    booked = {name: kept for name, cis in booked.items() if (kept := {ci for ci in cis if ci in number})}
    if not mine or not booked:
        return
    theirs = {name: [number[ci] for ci in cis] for name, cis in booked.items()}
    own = footprint(projection, [number[ci] for ci in mine])
    found = collide(projection, own, theirs, [frozenset(booked)])

    def down(names: tuple[str, ...], with_mine: bool) -> set[int]:
        return evaluate(world, set().union(*(booked[name] for name in names), mine if with_mine else set())).down()

    alone = evaluate(world, mine).down()
    meeting = {ci for names in subsets(set(booked)) for ci in down(names, True) - down(names, False) - alone}
    assert bool(found) == bool(meeting)
    for one in found:
        together = {int(projection.names[ci]) for ci in one.together.tolist()}
        assert together == down(tuple(booked), True) - down(tuple(booked), False) - alone
        for met in one.meetings:
            ci = int(projection.names[met.ci])
            assert met.masked == (ci in down(tuple(booked), False))
            if not met.group:
                assert all(ci in down((name,), True) - down((name,), False) - alone for name in met.names)
            elif not met.masked:
                assert ci in down(met.names, True)
                assert all(
                    ci not in down(tuple(set(met.names) - {name}), True) for name in met.names if len(met.names) > 1
                )


def pool(size: int, gate: int = 1) -> World:
    """CIs 0 to ``size`` - 1 serve the last one, of which ``gate`` must."""
    relations = tuple((size, "depends_on", ci, "pool", None) for ci in range(size))
    return World(size + 1, relations, {size: {"depends_on/pool": {"kind": "at_least", "k": gate}}})


def test_threes_collide_where_no_pair_does() -> None:
    projection = pool(3).projection()
    number = [projection.ci(name_id(str(ci))) for ci in range(4)]
    booked = {"b": [number[1]], "c": [number[2]]}
    mine = footprint(projection, [number[0]])
    assert collide(projection, mine, booked, [frozenset("b"), frozenset("c")]) == ()
    [found] = collide(projection, mine, booked, [frozenset("bc"), frozenset("b")])
    [met] = found.meetings
    assert (met.ci, met.names, met.group, met.masked) == (number[3], ("b", "c"), True, False)


def test_one_that_suffices_is_named_even_where_all_of_them_mask_it() -> None:
    projection = pool(3, 2).projection()
    number = [projection.ci(name_id(str(ci))) for ci in range(4)]
    booked = {"b": [number[1]], "c": [number[2]]}
    [found] = collide(projection, footprint(projection, [number[0]]), booked, [frozenset("bc")])
    [met] = found.meetings
    assert (met.ci, met.names, met.group, met.masked) == (number[3], ("b", "c"), False, True)


def test_neighbours_are_told_apart() -> None:
    chain = World(4, ((1, "depends_on", 0, None, None), (2, "depends_on", 1, None, None)), {})
    projection = chain.projection()
    number = [projection.ci(name_id(str(ci))) for ci in range(4)]
    mine = footprint(projection, [number[1]])
    told = neighbourhood(projection, mine, np.sort([number[0], number[2], number[1], number[3]]))
    assert told.same.tolist() == [number[1]]
    assert number[2] in told.consumers.tolist()
    assert number[0] in told.providers.tolist()
    assert not neighbourhood(projection, mine, np.asarray([number[3]]))


def test_a_redundant_provider_is_one_all_the_same() -> None:
    projection = pool(2).projection()
    number = [projection.ci(name_id(str(ci))) for ci in range(3)]
    told = neighbourhood(projection, footprint(projection, [number[2]]), np.asarray([number[0]]))
    assert told.providers.tolist() == [number[0]]
    assert not len(told.consumers)
