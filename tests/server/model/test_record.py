from __future__ import annotations

from tests.records import record


def test_records_meet_when_their_runs_overlap() -> None:
    one = record("a", seen=[(0, 2), (6, 8)])
    assert one.meets(record("b", seen=[(8, 9)])) and record("b", seen=[(8, 9)]).meets(one)
    assert not one.meets(record("b", seen=[(3, 5), (9, 9)]))
    assert one.last_at == 8
