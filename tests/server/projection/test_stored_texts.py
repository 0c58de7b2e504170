"""Texts in arrays are numbered and found as those in memory."""

from __future__ import annotations

import zlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.projection.columns import Interned
from cmdb_server.projection.stored_texts import StoredTexts, arrays_of

TEXTS = st.lists(st.one_of(st.text(max_size=6), st.sampled_from(["", "a", "\ud800", "Stra\u00dfe"])), max_size=20)


@given(TEXTS, TEXTS)
def test_they_are_as_if_they_had_been_met(first: list[str], later: list[str]) -> None:
    plain = Interned(first)
    stored = StoredTexts.of(arrays_of(plain))
    assert stored.values == plain.values
    for text in later:
        assert stored.find(text) == plain.find(text)
        assert stored.code(text) == plain.code(text)
    assert (len(stored), stored.values) == (len(plain), plain.values)
    assert [stored[code] for code in range(len(stored))] == plain.values
    again = StoredTexts.of(arrays_of(stored))
    assert again.values == plain.values and all(again.find(text) == plain.find(text) for text in plain.values)


def test_those_of_one_sum_are_told_apart() -> None:
    texts = ["plumless", "buckeroo"]
    assert len({zlib.crc32(text.encode()) for text in texts}) == 1
    stored = StoredTexts.of(arrays_of(Interned(texts)))
    assert [stored.find(text) for text in texts] == [0, 1]
    assert stored.find("neither") is None
    assert StoredTexts.of(arrays_of(Interned[str]())).find("a") is None
    assert np.array_equal([stored.code("new"), stored.code("new")], [2, 2])
