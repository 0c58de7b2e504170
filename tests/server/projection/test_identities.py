"""Ids as words, and names as one text."""

from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.projection.identities import Identities, Index, Names, words

UUIDS = st.uuids().map(str)


@given(st.lists(UUIDS, unique=True), st.lists(UUIDS, unique=True), st.lists(UUIDS))
def test_ids_are_found_in_any_order_and_after_growth(first: list[str], later: list[str], others: list[str]) -> None:
    later = [id_ for id_ in later if id_ not in first]
    identities = Identities.of(*words(first))
    index = Index.of(identities)
    grown = index.extended(identities.extended(*words(later)))
    everyone = [*first, *later]
    assert grown.find(everyone).tolist() == list(range(len(everyone)))
    assert [grown.id(ci) for ci in range(len(everyone))] == everyone
    absent = [id_ for id_ in others if id_ not in everyone]
    assert grown.find(absent).tolist() == [-1] * len(absent)


def test_ids_that_differ_in_their_low_half_only_are_told_apart() -> None:
    ids = [str(UUID(int=(7 << 64) | low)) for low in (5, 1, 3)]
    index = Index.of(Identities.of(*words(ids)))
    assert index.find([*ids, str(UUID(int=7 << 64))]).tolist() == [0, 1, 2, -1]


def test_many_new_ids_are_sorted_in() -> None:
    ids = [str(uuid4()) for _ in range(6000)]
    identities = Identities.of(*words(ids[:10]))
    grown = Index.of(identities).extended(identities.extended(*words(ids[10:])))
    assert not grown.added
    assert (grown.find(ids) == np.arange(6000)).all()


@pytest.mark.parametrize("text", ["", "x", "0" * 31, "g" * 32])
def test_what_is_no_uuid_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        words([text])


@given(st.lists(st.text()), st.lists(st.text()))
def test_names_are_kept_verbatim(first: list[str], later: list[str]) -> None:
    names = Names.joined([Names.of(first), Names.of(later)])
    assert [names[ci] for ci in range(len(first) + len(later))] == [*first, *later]
    changed = names.with_changed({0: "changed", 99: "new"})
    assert (changed[0], changed[99]) == ("changed", "new")
