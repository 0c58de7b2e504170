from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_schemas.ci_class import Life
from cmdb_server.model.presence import LifeState, Run, runs, stage

LIFE = Life(ageing_ms=10, missing_ms=30, retired_ms=100)


def test_a_sighting_lasts_until_another_record_is_seen_at_its_place() -> None:
    assert runs([(1, "s"), (3, "s")], [2, 7], {}) == (Run(1, 1, 2), Run(3, 3, 7))
    assert runs([(1, "s")], [1], {}) == (Run(1, 1, None),), "seen at once displaces nothing"


def test_only_a_complete_scan_of_its_scope_without_it_ends_a_sighting() -> None:
    assert runs([(1, "s"), (5, "s")], [], {"s": [1, 5, 9], "t": [3]}) == (Run(1, 5, 9),)
    assert runs([(1, "s"), (5, "s")], [], {"s": [1, 3, 5]}) == (Run(1, 1, 3), Run(5, 5, None))
    assert runs([(1, "s")], [], {}) == (Run(1, 1, None),)


def test_a_move_to_another_scope_is_no_absence() -> None:
    assert runs([(1, "c1"), (3, "c2")], [], {"c1": [1, 4], "c2": [3, 5]}) == (Run(1, 3, 5),)


_TIMES = st.integers(0, 15)


@settings(max_examples=400)
@given(
    st.lists(st.tuples(_TIMES, st.sampled_from("st")), min_size=1, max_size=8), st.lists(_TIMES, max_size=4),
    st.fixed_dictionaries({"s": st.lists(_TIMES, max_size=5), "t": st.lists(_TIMES, max_size=5)}), st.randoms(),
)  # fmt: skip
def test_runs_say_of_every_moment_what_the_definition_says(
    seen: list[tuple[int, str]], displaced: list[int], complete: dict[str, list[int]], random: object
) -> None:
    own = {at for at, _ in seen}

    def there(at: int) -> bool:
        return any(
            s <= at
            and not any(s < d <= at for d in displaced if d not in own)
            and not any(s < c <= at for c in complete[scope] if c not in own)
            for s, scope in seen
        )

    ordered = {scope: sorted(times) for scope, times in complete.items()}
    apart = sorted(d for d in displaced if d not in own)
    found = runs([*reversed(seen), *seen[:2]], apart, ordered)
    for at in range(20):
        inside = any(run.first <= at and (run.ended_at is None or at < run.ended_at) for run in found)
        assert inside == there(at), (at, found)
    assert all(a.last < b.first for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (14, LifeState("current", 0, 15)), (15, LifeState("ageing", 15, 35)), (34, LifeState("ageing", 15, 35)),
        (35, LifeState("missing", 35, 105)), (105, LifeState("retired", 105, None)),
    ],
)  # fmt: skip
def test_unconfirmed_claims_age(now: int, expected: LifeState) -> None:
    assert stage([Run(0, 5, None), Run(0, 2, 3)], LIFE, now) == expected


def test_what_scans_ended_is_missing_at_once() -> None:
    ended = [Run(0, 5, 8), Run(0, 6, 7)]
    assert stage(ended, LIFE, 7) == LifeState("current", 0, 8)
    assert stage(ended, LIFE, 8) == LifeState("missing", 8, 106)
    assert stage(ended, LIFE, 106).stage == "retired"


def test_it_lives_while_any_source_claims_it() -> None:
    assert stage([Run(0, 5, 8), Run(0, 6, None)], LIFE, 9).stage == "current"
    assert stage([Run(0, 5, 8), Run(0, 6, None)], LIFE, 16).stage == "ageing"


def test_a_class_that_never_ages_ends_only_by_its_scans() -> None:
    assert stage([Run(0, 5, None)], None, 10**9) == LifeState("current", 0, None)
    assert stage([Run(0, 5, 8)], None, 10**9) == LifeState("missing", 8, None)


def test_no_records_have_no_life() -> None:
    with pytest.raises(ValueError, match="without records"):
        stage([], LIFE, 0)


@pytest.mark.parametrize("held", [[Run(0, 5, None)], [Run(0, 5, 20)], [Run(0, 5, 8), Run(0, 5, 12)]])
def test_what_people_deleted_is_retired_whatever_scans_say(held: list[Run]) -> None:
    assert stage(held, LIFE, 13, 12) == stage(held, None, 13, 12) == LifeState("retired", 12, None)
