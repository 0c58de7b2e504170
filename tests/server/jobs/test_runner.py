"""The thread goes on whatever happens, and ends when it is told."""

from __future__ import annotations

import threading

from cmdb_server.errors import StoreUnavailable
from cmdb_server.jobs.runner import Runner

LONG = 30.0


def test_it_works_until_nothing_is_due_and_looks_again() -> None:
    left, looked = [3], threading.Event()

    def work(now_ms: int) -> int:
        assert now_ms > 1_700_000_000_000
        if left[0] == 0:
            looked.set()
            return 0
        left[0] -= 1
        return 1

    runner = Runner(work, every=0.001)
    runner.start()
    assert looked.wait(LONG) and left == [0]
    looked.clear()
    assert looked.wait(LONG), "it looks again"
    runner.end(LONG)
    looked.clear()
    assert not looked.is_set()


def test_a_fault_does_not_end_it() -> None:
    faults, through = [StoreUnavailable("gone"), RuntimeError("what")], threading.Event()

    def work(_: int) -> int:
        if faults:
            raise faults.pop()
        through.set()
        return 0

    runner = Runner(work, every=0.001)
    runner.start()
    assert through.wait(LONG)
    runner.end(LONG)


def test_one_that_was_never_started_ends() -> None:
    Runner(lambda _: 0).end()
