from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.model.clusters import Pair, cluster


def groups(n: int, scores: dict[Pair, float], apart: set[Pair] = frozenset()) -> set[frozenset[int]]:  # type: ignore[assignment]
    return {frozenset(members) for members in cluster(n, scores, 8, apart).members.values()}


def of(*some: set[int]) -> set[frozenset[int]]:
    return {frozenset(group) for group in some}


def test_pairs_at_join_are_one_and_others_are_not() -> None:
    assert groups(4, {(0, 1): 8, (1, 2): 30, (2, 3): 7.9}) == of({0, 1, 2}, {3})


def test_the_stronger_claim_wins_and_the_weaker_may_not_bring_together_what_must_be_apart() -> None:
    assert groups(3, {(0, 1): 20, (1, 2): 12}, {(0, 2)}) == of({0, 1}, {2})
    assert groups(4, {(0, 1): 20, (2, 3): 20, (1, 2): 12}, {(0, 3)}) == of({0, 1}, {2, 3})


def test_a_tie_joins_neither_side_and_is_told() -> None:
    state = cluster(4, {(0, 1): 12, (1, 2): 12, (2, 3): 30}, 8, {(0, 2)})
    assert {frozenset(m) for m in state.members.values()} == of({0}, {1}, {2, 3})
    assert state.ties == [(frozenset({1}), (frozenset({0}), frozenset({2, 3})))]


def test_a_chain_whose_ends_must_be_apart_joins_nothing() -> None:
    assert groups(4, {(0, 1): 12, (1, 2): 12, (2, 3): 12}, {(0, 3)}) == of({0}, {1}, {2}, {3})


@st.composite
def _graphs(draw: st.DrawFn) -> tuple[int, dict[Pair, float], set[Pair]]:
    n = draw(st.integers(1, 7))
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    scores = {pair: draw(st.sampled_from([0, 5, 8, 9, 12])) for pair in pairs}
    return n, {p: float(s) for p, s in scores.items()}, {p for p in pairs if draw(st.integers(0, 3)) == 0}


@settings(max_examples=500)
@given(_graphs(), st.randoms())
def test_numbering_says_nothing_and_what_must_be_apart_is(
    graph: tuple[int, dict[Pair, float], set[Pair]], random
) -> None:  # type: ignore[no-untyped-def]
    n, scores, apart = graph
    found = groups(n, scores, apart)
    assert all(not {i, j} <= group for i, j in apart for group in found)
    name = list(range(n))
    random.shuffle(name)

    def renamed(pair: Pair) -> Pair:
        i, j = sorted(name[k] for k in pair)
        return i, j

    pairs = list(scores.items())
    random.shuffle(pairs)
    again = groups(n, {renamed(p): s for p, s in pairs}, {renamed(p) for p in apart})
    assert again == {frozenset(name[k] for k in group) for group in found}
