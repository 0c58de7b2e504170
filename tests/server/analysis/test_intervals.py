"""Answers over time equal answers at each point of it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.intervals import FOREVER, Failure, OverTime, Span, over_time
from cmdb_server.errors import Invalid
from cmdb_server.model.gates import State
from cmdb_server.projection.build import from_rows
from cmdb_server.projection.edited import Edits, edited
from cmdb_server.projection.projection import GONE, Projection
from cmdb_server.projection.rules import overrides_of
from tests import worlds
from tests.wired import wired_worlds
from tests.worlds import World, name_id

END = 24


def built(world: World) -> Projection:
    return from_rows(*world.rows(), worlds.rules(), 7, worlds.NOW)


def some_span(dice: random.Random) -> Span:
    start = dice.randrange(-4, END)
    return start, None if dice.random() < 0.15 else start + dice.randrange(1, 12)


def some_failures(dice: random.Random, graph: Projection) -> list[Failure]:
    alive = [ci for ci in range(len(graph)) if not graph.retired[ci]]
    return [
        Failure(
            tuple(dice.choices(alive, k=dice.randrange(1, 3))),
            tuple(some_span(dice) for _ in range(dice.randrange(1, 4))),
            dice.random() < 0.2,
        )
        for _ in range(dice.randrange(1, 6))
        if alive
    ]


def some_edits(dice: random.Random, size: int) -> list[tuple[int, Edits]]:
    found = []
    for _ in range(dice.randrange(3)):
        one, other = (name_id(str(dice.randrange(size))) for _ in range(2))
        row = (one, "depends_on", other, dice.choice((None, "pool")), None)
        edits = dice.choice((
            Edits(frozenset([one])), Edits(gates={one: overrides_of(worlds.dice_gates(dice))}),
            Edits(relations={row[:3]: row}), Edits(relations={row[:3]: None}),
        ))  # fmt: skip
        found.append((dice.randrange(-2, END + 2), edits))
    return found


def at(time: int, graph: Projection, failures: list[Failure], edits: list[tuple[int, Edits]]) -> dict[int, int]:
    for _, one in sorted((edit for edit in edits if edit[0] <= time), key=lambda edit: edit[0]):
        graph = edited(graph, one)

    def failing(soft: bool) -> set[int]:
        return {
            ci
            for one in failures
            if one.degraded is soft and any(start <= time and (end is None or time < end) for start, end in one.spans)
            for ci in one.cis
            if graph.ended_at[ci] != GONE
        }

    answer = impact(graph, failing(False), (), failing(True) - failing(False))
    return dict(zip(answer.ci.tolist(), answer.state.tolist(), strict=True))


def told_at(time: int, found: OverTime) -> dict[int, int]:
    rows = (found.start <= time) & (time < found.end)
    return dict(zip(found.ci[rows].tolist(), found.state[rows].tolist(), strict=True))


@settings(max_examples=80, deadline=None)
@given(st.one_of(worlds.worlds(16), wired_worlds(16)), st.integers(0, 2**32))
def test_over_time_equals_each_point_of_it(world: World, seed: int) -> None:
    dice, graph = random.Random(seed), built(world)
    failures, edits = some_failures(dice, graph), some_edits(dice, world.size)
    window = (0, None if dice.random() < 0.2 else END)
    found = over_time(graph, window, failures, edits)
    for time in range(END):
        assert told_at(time, found) == at(time, graph, failures, edits), time
        (piece,) = [one for one in found.pieces if one.start <= time and (one.end is None or time < one.end)]
        assert check(piece.impact.projection, piece.impact.certificate()) == []
    assert [one.end for one in found.pieces] == [*(one.start for one in found.pieces[1:]), window[1]]
    spans = list(zip(found.ci.tolist(), found.state.tolist(), found.start.tolist(), found.end.tolist(), strict=True))
    assert spans == sorted(spans, key=lambda one: (one[0], one[2]))
    # Nothing that goes on is cut in two.
    assert not {(ci, state, end) for ci, state, _, end in spans} & {(ci, state, start) for ci, state, start, _ in spans}


def pool() -> Projection:
    cis = [worlds.ci_row(name) for name in ("a", "b", "shop")]
    relations = [worlds.relation_row("shop", "depends_on", name, "pool") for name in ("a", "b")]
    cis[2] = worlds.ci_row("shop", attributes={"gate": {"depends_on": {"kind": "at_least", "k": 1, "want": 2}}})
    return from_rows(cis, relations, worlds.rules(), 7, worlds.NOW)


A, B, SHOP = 0, 1, 2


def test_two_that_overlap_take_the_service_down_while_they_do() -> None:
    found = over_time(pool(), (0, 100), [Failure((A,), ((10, 40),)), Failure((B,), ((30, None),))])
    assert found.of(SHOP) == ((30, 40),)
    assert found.of(SHOP, State.DEGRADED) == ((10, 30), (40, 100))
    assert [(one.start, one.end) for one in found.pieces] == [(0, 10), (10, 30), (30, 40), (40, 100)]


def test_what_ends_as_another_begins_does_not_overlap_it() -> None:
    found = over_time(pool(), (0, 100), [Failure((A,), ((10, 30),)), Failure((B,), ((30, 40),))])
    assert found.of(SHOP) == ()
    assert found.of(SHOP, State.DEGRADED) == ((10, 40),)


def test_equal_neighbours_are_one_piece_and_equal_sets_are_computed_once() -> None:
    twice = [Failure((A,), ((10, 20), (20, 30), (50, 60))), Failure((A,), ((15, 25),))]
    found = over_time(pool(), (0, 100), twice)
    assert [(one.start, one.end) for one in found.pieces] == [(0, 10), (10, 30), (30, 50), (50, 60), (60, 100)]
    assert found.computed == 1


def test_an_open_end_stays_open() -> None:
    found = over_time(pool(), (0, None), [Failure((A, B), ((10, None),))])
    assert found.of(SHOP) == ((10, None),)
    assert found.pieces[-1].end is None and found.end.max() == FOREVER


def test_what_is_done_by_then_counts_from_then_on() -> None:
    stronger = Edits(gates={name_id("shop"): overrides_of({"depends_on": {"kind": "at_least", "k": 2}})})
    found = over_time(pool(), (0, 100), [Failure((A,), ((10, 60),))], [(40, stronger)])
    assert (found.of(SHOP), found.of(SHOP, State.DEGRADED)) == (((40, 60),), ((10, 40),))
    gone = over_time(pool(), (0, 100), [Failure((A, B), ((10, 60),))], [(30, Edits(frozenset([name_id("a")])))])
    assert gone.of(A) == ((10, 30),)


@pytest.mark.parametrize(
    ("window", "spans", "path"),
    [((5, 5), (), "window"), ((5, 1), (), "window"), ((0, 9), ((1, 2), (4, 3)), "failures[0].spans[1]")],
)
def test_what_ends_before_it_begins_is_refused(window: Span, spans: tuple[Span, ...], path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        over_time(pool(), window, [Failure((A,), spans)])
    assert refusal.value.extra["errors"][0]["path"] == path
