"""Columns that grow keep what older versions see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.projection.columns import Interned, Rows, marked, spans
from cmdb_server.projection.gates import Members


def members(*values: int) -> Members:
    column = np.asarray(values, np.int32)
    return Members.of(column, column * 10)


def test_an_extension_is_seen_by_the_newer_version_alone() -> None:
    old = members(1, 2)
    new = old.extended(np.asarray([3], np.int32), np.asarray([30], np.int32))
    assert old.provider.tolist() == [1, 2]
    assert (new.provider.tolist(), new.weight.tolist()) == ([1, 2, 3], [10, 20, 30])
    assert np.shares_memory(old.provider, new.provider)
    with pytest.raises(ValueError, match="read-only"):
        new.provider[0] = 9


def test_two_extensions_of_one_version_do_not_meet() -> None:
    old = members(1)
    one, other = (old.extended(np.asarray([n], np.int32), np.asarray([n], np.int32)) for n in (2, 3))
    assert (one.provider.tolist(), other.provider.tolist()) == ([1, 2], [1, 3])


def test_growth_beyond_the_spare_room_keeps_everything() -> None:
    rows: Rows = members(*range(100))
    for start in range(100, 1000, 100):
        more = np.arange(start, start + 100, dtype=np.int32)
        rows = rows.extended(more, more * 10)
    assert isinstance(rows, Members)
    assert rows.provider.tolist() == list(range(1000))
    assert rows.extended(np.empty(0, np.int32), np.empty(0, np.int32)) is rows


@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.data())
def test_spans_are_the_lists_in_turn(sizes: list[int], data: st.DataObject) -> None:
    last = np.cumsum(sizes).astype(np.int32)
    first = (last - sizes).astype(np.int32)
    rows = data.draw(st.lists(st.integers(0, len(sizes) - 1)))
    expected = [at for row in rows for at in range(first[row], last[row])]
    assert spans(first, last, np.asarray(rows, np.int64)).tolist() == expected


def test_interned_values_keep_their_numbers() -> None:
    names = Interned(["a", "b"])
    assert [names.code("b"), names.code("c"), names.code("a")] == [1, 2, 0]
    assert (names[2], names.find("z"), len(names)) == ("c", None, 3)


def test_marked_are_the_positions_that_are_true() -> None:
    assert marked(np.asarray([False, True, True])).tolist() == [1, 2]
