"""Whoever held an entry at a time, or came nearest to it."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.holding import nearest, owners


def test_who_covers_the_moment_wins_over_who_came_near() -> None:
    assert nearest([("a", 0, 5), ("b", 6, 9)], 5) == ["a"]
    assert nearest([("a", 0, 5), ("b", 6, 9)], 7) == ["b"]


def test_the_nearest_in_time_counts_before_and_after() -> None:
    assert nearest([("a", 0, 2), ("b", 9, 9)], 4) == ["a"]
    assert nearest([("a", 0, 2), ("b", 9, 9)], 8) == ["b"]


def test_several_at_one_moment_are_all_told() -> None:
    assert nearest([("b", 0, 5), ("a", 3, 9)], 4) == ["a", "b"]
    assert nearest([("a", 0, 2), ("b", 6, 9)], 4) == ["a", "b"]


def test_one_ci_may_hold_it_more_than_once() -> None:
    assert nearest([("a", 0, 1), ("a", 8, 9), ("b", 4, 5)], 8) == ["a"]


def test_a_group_owns_what_it_holds_while_it_is_there() -> None:
    boxes = [("a", 0, 5), ("b", 6, 9)]
    group = ("g", 1, 2)
    assert owners([*boxes, group], {"g": (1, math.inf)}, 4) == ["g"]
    assert owners([*boxes, group], {"g": (1, 3)}, 4) == ["a"], "it is gone"
    assert owners([*boxes, group], {"g": (1, math.inf)}, 0) == ["a"], "it was not there yet"
    assert owners([("a", 0, 5), ("g", 3, 3)], {"g": (3, 3)}, 6) == ["a"]
    assert owners([("a", 0, 5), ("g", 5, 5)], {"g": (5, 5)}, 6) == ["g"], "as near as its member"
    assert owners([*boxes], {}, 4) == nearest(boxes, 4)


def test_two_groups_own_nothing_together() -> None:
    groups = {"g": (0, math.inf), "h": (0, math.inf)}
    assert owners([("a", 0, 9), ("g", 0, 9), ("h", 0, 9)], groups, 4) == ["a", "g", "h"]


def test_nobody_held_it() -> None:
    assert nearest([], 3) == []


@given(st.permutations([("a", 0, 3), ("b", 2, 5), ("c", 9, 9), ("a", 7, 8)]), st.integers(-2, 12))
def test_the_order_of_holders_says_nothing(holders: list[tuple[str, int, int]], at: int) -> None:
    assert nearest(holders, at) == nearest(sorted(holders), at)
