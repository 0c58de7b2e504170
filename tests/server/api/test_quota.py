from __future__ import annotations

import os
import signal

from cmdb_server.api.quota import WINDOW, Quota


def test_requests_are_granted_until_the_limit_and_again_in_the_next_window() -> None:
    quota = Quota(3, 1000)
    assert [quota.take("a", 60.0) for _ in range(5)] == [0, 0, 0, WINDOW, WINDOW]
    assert quota.take("a", 119.0) == 1
    assert quota.take("a", 120.0) == 0


def test_bytes_are_counted_and_a_refused_body_is_not() -> None:
    quota = Quota(100, 1000)
    assert quota.take("a", 0, 0, 600) == 0
    assert quota.take("a", 0, 0, 600) == WINDOW
    assert quota.take("a", 0, 0, 400) == 0


def test_keys_do_not_share() -> None:
    quota = Quota(1, 1000)
    assert [quota.take(key, 0) for key in ("a", "b", "a")] == [0, 0, WINDOW]


def test_more_keys_than_slots_make_room() -> None:
    quota = Quota(1, 10)
    granted = sum(quota.take(f"key {number}", 0) == 0 for number in range(20_000))
    assert granted == 20_000


def test_processes_count_together() -> None:
    quota = Quota(1000, 1 << 40)
    for child in [_take_400_elsewhere(quota), _take_400_elsewhere(quota)]:
        os.waitpid(child, 0)
    granted = 0
    while not quota.take("a", 0):
        granted += 1
    assert granted == 200


def _take_400_elsewhere(quota: Quota) -> int:
    child = os.fork()
    if child == 0:
        for _ in range(400):
            quota.take("a", 0)
        os._exit(0)
    return child


def test_a_killed_process_leaves_no_lock() -> None:
    quota = Quota(10, 1000)
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        with quota._locked():
            os.write(told, b"x")
            signal.pause()
    os.read(ready, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert quota.take("a", 0) == 0
