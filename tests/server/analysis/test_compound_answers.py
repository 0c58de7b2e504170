"""Answers in context and in doubt are accepted as they are, and rejected once changed; networks included."""

from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.context import in_context
from cmdb_server.analysis.doubt import doubt
from tests.compound_checker import check_context, check_doubt
from tests.wired import wired_worlds
from tests.worlds import World, worlds

WORLDS = st.one_of(worlds(20), wired_worlds(20))


@settings(max_examples=100, deadline=None)
@given(WORLDS, st.data())
def test_answers_in_context(world: World, data: st.DataObject) -> None:
    projection = world.projection()
    sets = st.sets(st.integers(0, world.size - 1), min_size=1, max_size=2)
    mine, also = data.draw(sets), data.draw(st.dictionaries(st.sampled_from("abc"), sets, max_size=3))
    told = in_context(projection, mine, also)
    assert check_context(projection, told, mine, also) == []
    for name in ("already", "alone", "anyway", "together"):
        changed = np.setxor1d(getattr(told, name), [data.draw(st.integers(0, world.size - 1))])
        assert check_context(projection, replace(told, **{name: changed}), mine, also) != []
    assert check_context(projection, told, mine | {world.size}, also) != []
    if told.meeting_points:
        assert check_context(projection, replace(told, meeting_points=()), mine, also) != []
        elsewhere = replace(told.meeting_points[0], ci=min(mine))
        assert check_context(projection, replace(told, meeting_points=(elsewhere,)), mine, also) != []


@settings(max_examples=100, deadline=None)
@given(WORLDS, st.data())
def test_answers_in_doubt(world: World, data: st.DataObject) -> None:
    projection = world.projection()
    sets = st.sets(st.integers(0, world.size - 1), max_size=3)
    failed, unseen = data.draw(sets), data.draw(sets)
    told = doubt(projection, failed, np.asarray(sorted(unseen), np.int64))
    assert check_doubt(projection, told, failed, unseen) == []
    assume(unseen - failed)
    assert check_doubt(projection, told, failed, failed) != []
    assert check_doubt(projection, replace(told, lower=told.upper), failed, unseen) != []
    more = np.setdiff1d(np.arange(world.size), told.upper.down)
    assume(len(more))
    assert check_doubt(projection, replace(told, uncertain=np.append(told.uncertain, more[:1])), failed, unseen) != []
    assert check_doubt(projection, replace(told, sure=np.append(told.sure, more[:1])), failed, unseen) != []
