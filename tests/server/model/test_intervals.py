"""Sets of times against sets of minutes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model import intervals
from cmdb_server.model.intervals import Interval, Intervals, normalise

told = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)
sets = told.map(normalise)


def minutes(of: Intervals | list[Interval]) -> set[int]:
    return {minute for start, end in of for minute in range(start, end)}


def is_normal(one: Intervals) -> bool:
    return all(start < end for start, end in one) and all(a[1] < b[0] for a, b in pairwise(one))


@given(told)
def test_normalised(given_: list[Interval]) -> None:
    found = normalise(given_)
    assert is_normal(found) and minutes(found) == minutes(given_)
    assert normalise(found) == found and intervals.total(found) == len(minutes(found))


@given(sets, sets)
def test_two_sets(one: Intervals, other: Intervals) -> None:
    for made, wanted in (
        (intervals.union(one, other), minutes(one) | minutes(other)),
        (intervals.intersection(one, other), minutes(one) & minutes(other)),
        (intervals.difference(one, other), minutes(one) - minutes(other)),
    ):
        assert is_normal(made) and minutes(made) == wanted


@given(sets, st.integers(-5, 45), st.integers(-5, 45))
def test_within(one: Intervals, start: int, end: int) -> None:
    within = set(range(start, end))
    assert minutes(intervals.clip(one, (start, end))) == minutes(one) & within
    rest = intervals.complement(one, (start, end))
    assert is_normal(rest) and minutes(rest) == within - minutes(one)


def test_end_is_start_is_no_overlap_and_one_interval() -> None:
    assert intervals.intersection(((0, 5),), ((5, 9),)) == ()
    assert intervals.union(((0, 5),), ((5, 9),)) == ((0, 9),)
