"""Courses are corrected by further rows, never by changing one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.ingest.courses import corrections, presence

values = st.sampled_from([None, 0, 1, True, "x"])
courses = st.dictionaries(st.integers(0, 6), values, max_size=5).filter(
    lambda told: told.get(min(told, default=0), 0) is not None
)
"""None ends something: nothing begins with it."""


def course_of(rows: dict[int, object]) -> list[tuple[int, object]]:
    """What rows say at each moment from 0 to 7, with types apart."""
    told, value = [], object
    for at in range(8):
        value = rows.get(at, value)
        told.append((type(value), value))
    return told


@given(courses, courses)
def test_corrections_make_what_stands_say_what_is_wanted(known: dict[int, object], wanted: dict[int, object]) -> None:
    added = corrections(known, sorted(wanted.items()))
    first = min(wanted, default=8)
    assert course_of({**known, **dict(added)})[first:] == course_of(wanted)[first:]
    assert [at for at, _ in added] == sorted({at for at, _ in added}), "one row for each time"


@given(courses)
def test_what_stands_already_needs_no_row(known: dict[int, object]) -> None:
    assert corrections(known, sorted(known.items())) == []


@pytest.mark.parametrize(
    ("seen", "without", "course", "ended"),
    [
        ([1, 2, 3], [], [(1, 1)], None),
        ([1, 2], [3, 5], [(1, 1), (3, [0, 2])], 3),
        ([1, 4], [2], [(1, 1), (2, [0, 1]), (4, 1)], None),
        ([2], [1, 2], [(2, 1)], None),
        ([3, 1, 1], [2, 4], [(1, 1), (2, [0, 1]), (3, 1), (4, [0, 3])], 4),
        ([], [1], [], None),
    ],
)
def test_the_course_of_a_presence(
    seen: list[int], without: list[int], course: list[tuple[int, object]], ended: int | None
) -> None:
    assert presence(seen, without) == (course, ended)
