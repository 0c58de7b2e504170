"""Jobs are due at a time, claimed by one, done, and again."""

from __future__ import annotations

import threading

from cmdb_server.practices import timed
from cmdb_server.practices.claims import CLAIM_MS
from cmdb_server.practices.timed import KEPT_MS, Job
from cmdb_server.store.port import Store

NOW = 1_700_000_000_000


def add(store: Store, id_: str, at: int) -> Job:
    return store.write(lambda tx: timed.schedule(tx, id_, "greet", {"whom": id_}, at))


def test_due_in_order_of_time(store: Store) -> None:
    for id_, at in (("b", NOW), ("a", NOW - 5), ("later", NOW + 1), ("zero", 0)):
        add(store, id_, at)
    assert [job.id for job in timed.due(store, NOW)] == ["zero", "a", "b"]
    assert [job.id for job in timed.due(store, NOW, limit=2)] == ["zero", "a"]
    assert timed.due(store, NOW)[1] == Job("a", "greet", {"whom": "a"}, NOW - 5)
    timed.claim(store, "a", NOW)
    assert [job.id for job in timed.due(store, NOW)] == ["zero", "b"]
    assert [job.id for job in timed.due(store, NOW + CLAIM_MS)] == ["zero", "a", "b", "later"]


def test_done_once_or_again(store: Store) -> None:
    add(store, "once", NOW)
    add(store, "daily", NOW)
    once, daily = timed.claim(store, "once", NOW), timed.claim(store, "daily", NOW)
    assert once is not None and daily is not None
    assert timed.done(store, once, NOW + 1) and timed.done(store, daily, NOW + 1, NOW + 86_400_000)
    assert timed.due(store, NOW + 10_000) == []
    assert [(job.id, job.due_at, job.done_at) for job in timed.every(store)] == [
        ("daily", NOW + 86_400_000, NOW + 1), ("once", None, NOW + 1),
    ]  # fmt: skip
    assert timed.forget(store, NOW + KEPT_MS) == 0, "not yet"
    assert timed.forget(store, NOW + KEPT_MS + 1) == 1 and [job.id for job in timed.every(store)] == ["daily"]


def test_what_is_scheduled_anew_has_only_its_new_time(store: Store) -> None:
    add(store, "a", NOW)
    mine = timed.claim(store, "a", NOW)
    assert mine is not None
    add(store, "a", NOW + 50)
    assert not timed.done(store, mine, NOW + 1), "it was for the former time"
    assert timed.due(store, NOW + 49) == []
    again = timed.claim(store, "a", NOW + 50)
    assert again is not None and timed.failed(store, again, "no", NOW + 50)
    found = store.read(lambda tx: timed.one(tx, "a"))
    assert found is not None and (found.fault, found.attempts) == ("no", 1)
    store.write(lambda tx: timed.cancel(tx, "a"))
    store.write(lambda tx: timed.cancel(tx, "a"))
    assert timed.every(store) == []


def test_many_servers_share_the_work_and_none_is_done_twice(store: Store) -> None:
    for number in range(12):
        add(store, f"job-{number:02}", NOW)
    claimed: list[str] = []

    def serve() -> None:
        while found := timed.due(store, NOW):
            for job in found:
                mine = timed.claim(store, job.id, NOW)
                if mine is not None:
                    claimed.append(mine.id)
                    timed.done(store, mine, NOW)

    threads = [threading.Thread(target=serve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [f"job-{number:02}" for number in range(12)]


def test_pages_of_all_and_of_those_that_failed(store: Store) -> None:
    for number in range(7):
        add(store, f"job-{number}", NOW)
        if number % 3 == 0:
            mine = timed.claim(store, f"job-{number}", NOW)
            assert mine is not None and timed.failed(store, mine, "no", NOW)
    found, cursor = timed.page(store, None, 3)
    assert [job.id for job in found] == ["job-0", "job-1", "job-2"] and cursor == "job-2"
    rest, end = timed.page(store, cursor, 4)
    assert [job.id for job in rest] == ["job-3", "job-4", "job-5", "job-6"] and end is None
    failing, more = timed.page(store, None, 2, failing=True)
    assert [job.id for job in failing] == ["job-0", "job-3"] and more == "job-3"
    assert [job.id for job in timed.page(store, more, 2, failing=True)[0]] == ["job-6"]
