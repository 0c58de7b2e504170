"""Sets as ascending columns against Python's own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.projection.ordered import distinct, shared, united, within, without

NUMBERS = st.lists(st.integers(-5, 30), max_size=20)


def column(numbers: list[int]) -> np.ndarray:
    return np.asarray(numbers, np.int64)


@given(NUMBERS, NUMBERS)
def test_they_are_what_sets_are_and_ascend(one: list[int], other: list[int]) -> None:
    a, b = column(one), column(other)
    assert distinct(a).tolist() == sorted({*one})
    assert united(a, b).tolist() == sorted({*one} | {*other})
    assert shared(a, b).tolist() == sorted({*one} & {*other})
    assert without(a, b).tolist() == sorted({*one} - {*other})


@given(NUMBERS, NUMBERS)
def test_within_tells_by_place(one: list[int], other: list[int]) -> None:
    assert within(column(one), distinct(column(other))).tolist() == [number in other for number in one]


def test_what_was_given_stays_as_it_was() -> None:
    given_ = column([3, 1, 3, 2])
    distinct(given_)
    without(given_, given_)
    assert given_.tolist() == [3, 1, 3, 2]
