"""Freezes and maintenance windows over time, minute by minute."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.answers.changes.conditions import Calendar
from cmdb_server.model.instants import rfc3339
from cmdb_server.model.intervals import Intervals, normalise
from cmdb_server.practices.kept_rows import Kept

MINUTE = 60_000
STARTS = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda told: (told[0], told[0] + told[1]))
ENTRIES = st.lists(st.tuples(STARTS, st.frozensets(st.sampled_from("ab"), min_size=1)), max_size=4)


def entry(place: int, kind: str, start: int, end: int) -> Kept:
    window = {"start": rfc3339(start * MINUTE), "end": rfc3339(end * MINUTE)}
    return Kept(f"{kind}{place}", kind, "in_force", 1, "ann", 0, 0, 1, {"windows": [window]}, {})


def entries(kind: str, told: list[Any]) -> list[tuple[Kept, frozenset[str]]]:
    return [(entry(place, kind, *span), cis) for place, (span, cis) in enumerate(told)]


def minutes(times: Any) -> set[int]:
    return {moment for start, end in times for moment in range(start // MINUTE, end // MINUTE)}


@given(ENTRIES, ENTRIES, st.lists(STARTS, min_size=1, max_size=3))
def test_minute_by_minute(freezes: list[Any], maintained: list[Any], mine: list[tuple[int, int]]) -> None:
    calendar = Calendar(entries("freeze", freezes), entries("maintenance_window", maintained))
    spans: Intervals = normalise((start * MINUTE, end * MINUTE) for start, end in mine)
    told = calendar.conditions(spans, 17 * MINUTE)
    for place, (span, _) in enumerate(freezes):
        expected = minutes(spans) & set(range(*span))
        found = [
            minutes((one.start, one.end) for one in each.spans)
            for each in told.freezes
            if each.number == f"freeze{place}"
        ]
        assert (found[0] if found else set()) == expected
    rest = next((end for start, end in spans if start <= 17 * MINUTE < end), None)
    last = 17 + max(end - start for start, end in spans) // MINUTE if rest is None else rest // MINUTE
    at_once = {f"freeze{place}" for place, (span, _) in enumerate(freezes) if set(range(17, last)) & set(range(*span))}
    assert {one.number for one in told.freezes_now} == at_once
    allowed = {ci: {m for span, cis in maintained if ci in cis for m in range(*span)} for ci in "ab"}
    kept = [ci for ci in "ab" if any(ci in cis for _, cis in maintained)]
    outside = {m for m in minutes(spans) if any(m not in allowed[ci] for ci in kept)}
    assert minutes((one.start, one.end) for one in told.outside) == outside
    if kept:
        assert told.in_windows == 1 - len(outside) / len(minutes(spans))
    else:
        assert told.in_windows is None
    assert minutes(calendar.allowed((0, 50 * MINUTE))) == {
        m for m in range(50) if all(m in allowed[ci] for ci in kept)
    }  # fmt: skip
    assert minutes(calendar.frozen((0, 50 * MINUTE), emergency=False)) == {
        m for span, _ in freezes for m in range(*span)
    }
