"""Points, aggregates of them, and how fast a counter went."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.series import (
    WIDTHS,
    Aggregate,
    Metered,
    bucket,
    joined,
    met,
    packed,
    point,
    rates,
    step,
    together,
    unpacked,
)

TIMES = st.integers(0, 10**13)
VALUES = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.lists(st.tuples(TIMES, VALUES), min_size=1, max_size=30, unique_by=lambda told: told[0])


def whole(points: list[tuple[int, float]]) -> Aggregate:
    first, *rest = [point(*told) for told in sorted(points)]
    for one in rest:
        first = joined(first, one)
    return first


@given(POINTS)
def test_an_aggregate_tells_of_all_its_points(points: list[tuple[int, float]]) -> None:
    told = whole(points)
    values = [value for _, value in sorted(points)]
    assert (told.count, told.min, told.max) == (len(values), min(values), max(values))
    assert (told.first, told.last) == (values[0], values[-1])
    assert abs(told.increase) <= sys.float_info.max


@given(POINTS, st.integers(0, 30))
def test_a_longer_time_is_made_of_shorter_ones(points: list[tuple[int, float]], cut: int) -> None:
    rounded = [(at, float(round(value) % 1000)) for at, value in sorted(points)]
    early, late = rounded[:cut], rounded[cut:]
    assert whole(rounded) == (joined(whole(late), whole(early)) if early and late else whole(early or late))


def test_a_counter_that_fell_began_anew() -> None:
    assert (step(10.0, 15.0), step(10.0, 3.0)) == (5.0, 3.0)
    told = whole([(0, 10.0), (1000, 15.0), (2000, 3.0), (3000, 4.0)])
    assert told.increase == 5 + 3 + 1
    assert list(rates([point(0, 10.0), point(1000, 15.0), point(3000, 3.0)])) == [None, 5.0, 1.5]
    assert list(rates([told, point(4000, 6.0)])) == [3.0, 2.0]


def test_what_overlaps_counts_no_increase_twice() -> None:
    one, other = whole([(0, 0.0), (10, 8.0)]), whole([(5, 4.0), (7, 5.0)])
    assert joined(one, other) == joined(other, one)
    assert (joined(one, other).increase, joined(one, other).last, joined(one, other).count) == (8.0, 8.0, 4)


@given(
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 50)), min_size=1, max_size=20, unique_by=lambda p: p[0])
)
def test_buckets_do_not_depend_on_order(points: list[tuple[int, int]]) -> None:
    told = [(at, point(at, float(value))) for at, value in points]
    for width in WIDTHS.values():
        found = together(told, width)
        assert found == together(told[::-1], width)
        assert set(found) == {bucket(at, width) for at, _ in points}
        assert sum(one.count for one in found.values()) == len(points)


def test_packed_and_back() -> None:
    for aggregate in (point(5, 1.5), whole([(0, 1.0), (5, 2.0)])):
        one = Metered("By", "counter", aggregate)
        assert unpacked(packed(one)) == one
    assert len(packed(Metered("1", "gauge", point(5, 1.5)))) == 4


def test_unit_and_kind_are_the_newer_ones() -> None:
    old, new = Metered("s", "gauge", point(0, 1.0)), Metered("ms", "counter", point(5, 2.0))
    assert met(new, old).unit == met(old, new).unit == "ms"
    assert met(None, old) == old
