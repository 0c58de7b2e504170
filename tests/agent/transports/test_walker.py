"""Walks end on every agent, however it misbehaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_agent.observation import Varbind
from cmdb_agent.transports.walker import Limits, NoAnswer, Refused, TooBig, Undecodable, dotted, walk
from tests.snmprec import Recording

ROOT = (1, 3, 6, 1, 2, 1, 2, 2)
END = Varbind((), None, "end")
OID = tuple[int, ...]


def row(*arcs: int, value: bytes | int = 1) -> Varbind:
    return Varbind((*ROOT, *arcs), value, "string" if isinstance(value, bytes) else "integer")


def table(count: int, value: bytes | int = 1) -> Recording:
    outside = [Varbind((1, 3, 6, 1, 2, 1, 1, 1), 0, "integer"), Varbind((1, 3, 6, 1, 2, 1, 2, 3), 0, "integer")]
    return Recording([*outside, *(row(1, n, value=value) for n in range(count))])


class Clock:
    """Seconds that pass with every look at it."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.mark.parametrize("count", [0, 1, 24, 25, 26, 200])
def test_reads_what_lies_below_the_root_and_nothing_else(count: int) -> None:
    read = walk(table(count).getbulk, ROOT, Limits())
    assert (len(read.varbinds), read.status) == (count, "complete")
    assert all(varbind.oid[: len(ROOT)] == ROOT for varbind in read.varbinds)


def test_the_end_of_the_mib_ends_the_table() -> None:
    assert walk(Recording([row(1, 1)]).getbulk, ROOT, Limits()).status == "complete"


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=3), min_size=1, max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_agent_that_answers_from_a_fixed_list_is_left_in_the_end(answers: list[list[int]]) -> None:
    """It goes round its answers for ever: forwards, backwards, in circles."""
    asked = iter(range(10**6))

    def getbulk(_: OID, __: int) -> list[Varbind]:
        return [row(1, arc) for arc in answers[next(asked) % len(answers)]]

    read = walk(getbulk, ROOT, Limits(rows=50))
    oids = [varbind.oid for varbind in read.varbinds]
    assert read.status in ("loop", "truncated")
    assert oids == sorted(set(oids))


@given(st.integers(1, 60), st.integers(1, 40))
def test_an_agent_that_counts_up_for_ever_is_cut_off_at_the_limit(limit: int, repetitions: int) -> None:
    def getbulk(after: OID, count: int) -> list[Varbind]:
        return [row(1, (after[-1] if len(after) > len(ROOT) else 0) + n) for n in range(1, count + 1)]

    read = walk(getbulk, ROOT, Limits(rows=limit, repetitions=repetitions))
    assert (len(read.varbinds), read.status) == (limit, "truncated")


def test_large_values_are_cut_off_at_the_limit_of_bytes() -> None:
    read = walk(table(100, b"x" * 1000).getbulk, ROOT, Limits(bytes=10_000))
    assert read.status == "truncated"
    assert "bytes" in read.detail
    assert 5 < len(read.varbinds) < 10


def test_a_slow_agent_is_left_when_time_is_over() -> None:
    recording = table(10_000)
    read = walk(recording.getbulk, ROOT, Limits(seconds=5, repetitions=1), Clock(1.0))
    assert read.status == "timeout"
    assert 0 < len(read.varbinds) <= 5


@pytest.mark.parametrize("error", [TooBig, Undecodable, NoAnswer])
def test_fewer_rows_are_asked_for_when_many_do_not_work(error: type[Exception]) -> None:
    recording = table(100)

    def getbulk(after: OID, count: int) -> Sequence[Varbind]:
        if count > 3:
            raise error
        return recording.getbulk(after, count)

    read = walk(getbulk, ROOT, Limits())
    assert (len(read.varbinds), read.status) == (100, "complete")


def failing_at(bad: int, error: Exception) -> Callable[[OID, int], Sequence[Varbind]]:
    """An agent that answers no request that would hold the row ``bad``."""
    recording = table(100)

    def getbulk(after: OID, count: int) -> Sequence[Varbind]:
        rows = recording.getbulk(after, count)
        if row(1, bad) in rows:
            raise error
        return rows

    return getbulk


@pytest.mark.parametrize(
    ("error", "status"),
    [(Undecodable("genErr"), "undecodable"), (TooBig(), "undecodable"), (NoAnswer("silence"), "timeout")],
)
def test_rows_before_the_one_that_cannot_be_read_are_kept(error: Exception, status: str) -> None:
    read = walk(failing_at(40, error), ROOT, Limits())
    assert (len(read.varbinds), read.status) == (40, status)


def test_a_refusal_is_not_asked_again() -> None:
    asked = []

    def getbulk(after: OID, count: int) -> Sequence[Varbind]:
        asked.append(count)
        raise Refused("authorizationError")

    assert walk(getbulk, ROOT, Limits()).status == "failed"
    assert len(asked) == 1


def test_an_answer_without_rows_is_no_end() -> None:
    """snmpd and others answer so when a row does not fit; taken for the end, half a table would end CIs."""
    assert walk(lambda *_: [], ROOT, Limits()).status == "undecodable"


def test_dotted() -> None:
    assert dotted((1, 3, 6)) == "1.3.6"
