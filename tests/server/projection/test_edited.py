"""A projection with edits equals one built from the edited rows, and the one it was made of stays as it was."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.errors import NotFound
from cmdb_server.projection.build import from_rows
from cmdb_server.projection.edited import Edits, edited
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import overrides_of
from tests import worlds
from tests.wired import wired_worlds
from tests.worlds import World, name_id


def change(world: World, dice: random.Random) -> tuple[World, Edits]:
    """Some random edits, and the world as it is with them."""
    relations = {row[:3]: row for row in world.relations}
    gates, removed = dict(world.gates), set(world.retired)
    told: dict[tuple[str, str, str], Any] = {}
    own: dict[str, Any] = {}
    for _ in range(dice.randrange(1, 6)):
        one, other = (dice.randrange(world.size) for _ in range(2))
        what = dice.choice(("relate", "relate", "unrelate", "gate", "remove"))
        if what == "remove":
            removed.add(one)
        elif what == "gate":
            gates[one] = worlds.dice_gates(dice)
            own[name_id(str(one))] = overrides_of(gates[one])
        elif what == "relate":
            row = (one, "depends_on", other, dice.choice((None, "pool", "new")), dice.choice((None, 2)))
            relations[row[:3]] = row
            told[name_id(str(one)), "depends_on", name_id(str(other))] = worlds.relation_row(
                str(one), "depends_on", str(other), *row[3:]
            )
        elif relations:
            key = dice.choice(list(relations))
            del relations[key]
            told[name_id(str(key[0])), key[1], name_id(str(key[2]))] = None
            if (mirror := relations.get((key[2], key[1], key[0]))) is not None:
                ends = (str(mirror[0]), str(mirror[2]))
                told[name_id(ends[0]), key[1], name_id(ends[1])] = worlds.relation_row(
                    ends[0], key[1], ends[1], *mirror[3:]
                )
    edits = Edits(frozenset(name_id(str(ci)) for ci in removed - world.retired), own, told)
    return replace(world, relations=tuple(relations.values()), gates=gates, retired=frozenset(removed)), edits


def built(world: World) -> Projection:
    return from_rows(*world.rows(), worlds.rules(), 7, worlds.NOW)


def states(projection: Projection, failed: list[int]) -> dict[str, tuple[int, int]]:
    answer = impact(projection, [projection.ci(name_id(str(ci))) for ci in failed])
    assert check(projection, answer.certificate()) == []
    columns = (answer.ci.tolist(), answer.state.tolist(), answer.rank.tolist())
    return {projection.id(ci): (state, rank) for ci, state, rank in zip(*columns, strict=True)}


@settings(max_examples=200, deadline=None)
@given(st.one_of(worlds.worlds(20), wired_worlds(20)), st.integers(0, 2**32))
def test_with_edits_it_is_as_if_built_from_the_edited_rows(world: World, seed: int) -> None:
    dice = random.Random(seed)
    other, edits = change(world, dice)
    base = built(world)
    alive = [ci for ci in range(world.size) if ci not in other.retired]
    failed = dice.sample(alive, min(len(alive), 2))
    before = states(base, failed)
    assert states(edited(base, edits), failed) == states(built(other), failed)
    assert states(base, failed) == before
    truth = worlds.evaluate(other, set(failed))
    assert {name_id(str(ci)): state for ci, state in truth.state.items()} == {
        id_: state for id_, (state, _) in states(edited(base, edits), failed).items()
    }


def two_of_two() -> Projection:
    cis = [worlds.ci_row(name) for name in ("a", "b", "shop")]
    relations = [worlds.relation_row("shop", "depends_on", name, "pool") for name in ("a", "b")]
    return from_rows(cis, relations, worlds.rules(), 7, worlds.NOW)


def test_edits_take_no_room_and_no_number_of_what_follows_the_store() -> None:
    base = two_of_two()
    gates, used = len(base.rules.gates), base.gates.room.used
    gate = overrides_of({"depends_on": {"kind": "at_least", "k": 77}})
    row = worlds.relation_row("a", "depends_on", "b", "a group of the question alone")
    made = edited(base, Edits(frozenset(), {name_id("shop"): gate}, {row[:3]: row}))
    assert len(made.gates) > len(base.gates)
    assert (len(base.rules.gates), base.gates.room.used) == (gates, used)
    assert base.rules.groups.find("a group of the question alone") is None
    assert made.pool is not base.pool


def test_no_edits_are_no_work() -> None:
    base = two_of_two()
    assert edited(base, Edits()) is base


def test_a_removed_ci_is_there_no_more() -> None:
    made = edited(two_of_two(), Edits(frozenset([name_id("a")])))
    with pytest.raises(NotFound):
        made.ci(name_id("a"))
    assert [made.id(int(ci)) for ci in made.members_of(int(made.gates_by(made.ci(name_id("shop")))[0]))] == [
        name_id("b")
    ]
    assert len(edited(made, Edits(frozenset([name_id("a")])))) == 3
    with pytest.raises(NotFound):
        edited(made, Edits(frozenset([name_id("nobody")])))
    with pytest.raises(NotFound):
        edited(made, Edits(gates={name_id("nobody"): None}))


def test_later_edits_win() -> None:
    key = (name_id("shop"), "depends_on", name_id("a"))
    row = worlds.relation_row("shop", "depends_on", "a")
    both = Edits(frozenset(["x"]), {"c": None}, {key: None}).then(Edits(frozenset(["y"]), {}, {key: row}))
    assert both == Edits(frozenset(["x", "y"]), {"c": None}, {key: row})
