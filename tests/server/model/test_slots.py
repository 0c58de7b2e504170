"""Free slots against every start tried."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.intervals import Intervals, normalise
from cmdb_server.model.slots import first_free, free

sets = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8).map(normalise)


def minutes(of: Intervals) -> set[int]:
    return {minute for start, end in of for minute in range(start, end)}


@given(st.integers(1, 20), sets, sets)
def test_the_first_start_that_fits(length: int, allowed: Intervals, busy: Intervals) -> None:
    open_ = minutes(allowed) - minutes(busy)
    starts = [at for at in range(41) if set(range(at, at + length)) <= open_]
    assert first_free(length, allowed, busy) == ((starts[0], starts[0] + length) if starts else None)
    found = [at for start, end in free(length, allowed, busy) for at in range(start, end - length + 1)]
    assert found == starts


def test_it_may_begin_as_another_ends() -> None:
    assert first_free(5, ((0, 20),), ((0, 10), (15, 20))) == (10, 15)
    assert first_free(6, ((0, 20),), ((0, 10), (15, 20))) is None
    with pytest.raises(ValueError, match="positive"):
        first_free(0, ((0, 1),), ())
