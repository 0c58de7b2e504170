"""Webhooks are claimed by one process at a time, and only the newest claim may say how it ended."""

from __future__ import annotations

import threading

import pytest

from cmdb_server.errors import NotFound
from cmdb_server.practices import webhooks
from cmdb_server.practices.claims import CLAIM_MS
from cmdb_server.practices.webhooks import Webhook
from cmdb_server.store.port import Store

NOW = 1_700_000_000_000


@pytest.fixture
def made(store: Store) -> Webhook:
    return webhooks.register(store, "https://example.net/x", "env:S", ["ci"], "root", NOW)


def test_registered_listed_and_removed(store: Store, made: Webhook) -> None:
    other = webhooks.register(store, "https://example.net/y", "env:S", [], "root", NOW + 1)
    assert webhooks.every(store) == [made, other] and made.since < other.since
    assert webhooks.remove(store, made.id) == made
    assert webhooks.every(store) == [other]
    with pytest.raises(NotFound):
        webhooks.remove(store, made.id)
    assert webhooks.claim(store, made.id, NOW) is None


def test_one_claim_at_a_time(store: Store, made: Webhook) -> None:
    found: list[Webhook | None] = []
    threads = [threading.Thread(target=lambda: found.append(webhooks.claim(store, made.id, NOW))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in found if one is not None]) == 1 and len(found) == 8


def test_a_claim_that_ran_out_passes_on_and_its_former_holder_says_nothing_more(store: Store, made: Webhook) -> None:
    slow = webhooks.claim(store, made.id, NOW)
    quick = webhooks.claim(store, made.id, NOW + CLAIM_MS)
    assert slow is not None and quick is not None
    assert not webhooks.delivered(store, slow, 99, None)
    assert not webhooks.failed(store, slow, "late", NOW)
    assert webhooks.delivered(store, quick, 7, "7 ci x")
    (told,) = webhooks.every(store)
    assert (told.since, told.cursor, told.fault) == (7, "7 ci x", None)


def test_each_failure_waits_twice_as_long_up_to_an_hour(store: Store, made: Webhook) -> None:
    now, waits = NOW, []
    for _ in range(14):
        mine = webhooks.claim(store, made.id, now)
        assert mine is not None
        assert webhooks.failed(store, mine, "no", now)
        (told,) = webhooks.every(store)
        assert webhooks.claim(store, made.id, told.due_at - 1) is None
        waits.append(told.due_at - now)
        now = told.due_at
    assert waits[:3] == [5_000, 10_000, 20_000] and waits[-1] == 3_600_000
    mine = webhooks.claim(store, made.id, now)
    assert mine is not None and webhooks.delivered(store, mine, 3, None)
    assert webhooks.every(store)[0].attempts == 0
