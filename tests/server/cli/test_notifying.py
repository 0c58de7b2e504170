"""``cmdb webhooks`` tells a receiver of what a served store takes in; ``cmdb jobs`` and servers do what is due."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from cmdb_server.api.context import now_ms
from cmdb_server.practices import timed
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import host, report
from tests.receiver import Receiver
from tests.serving import Served


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    opened.reply = lambda _: (200, {}, b"")
    yield opened
    opened.stop()


def test_changes_reach_the_receiver_signed_and_once(cmdb, server: Served, receiver: Receiver) -> None:
    bearer = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    hook = {"url": receiver.url, "secret": "env:HOOK_KEY", "kinds": ["ci"]}
    made = httpx.post(f"{server.url}/api/v1/webhooks", json=hook, headers=bearer)
    assert made.status_code == 201, made.text
    body = report("r1", now_ms(), [host("web-1", "10.0.0.1")])
    assert httpx.post(f"{server.url}/api/v1/reports", content=body, headers=bearer).status_code == 200
    told = {"CMDB_STORE": f"sqlite://{server.store}", "HOOK_KEY": "hush"}
    assert cmdb("webhooks", "--once", **told).code == 0
    assert receiver.received == [], "loopback is refused unless it is allowed"
    (hook,) = httpx.get(f"{server.url}/api/v1/webhooks", headers=bearer).json()
    assert hook["attempts"] == 1 and "CMDB_WEBHOOK_NETWORKS" in hook["fault"]
    assert httpx.delete(f"{server.url}/api/v1/webhooks/{hook['id']}", headers=bearer).status_code == 200
    httpx.post(f"{server.url}/api/v1/webhooks", json={**json.loads(made.request.content)}, headers=bearer)
    changed = report("r2", now_ms(), [host("web-1", "10.0.0.1", os_name="b")])
    assert httpx.post(f"{server.url}/api/v1/reports", content=changed, headers=bearer).status_code == 200
    allowed = {**told, "CMDB_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    for _ in range(2):
        ran = cmdb("webhooks", "--once", **allowed)
        assert ran.code == 0, ran.err
    ((event,),) = receiver.received
    assert event["data"]["cause"]["report"] == "r2"
    assert receiver.headers[0]["webhook-signature"].startswith("v1,")


def faults(path: Path) -> dict[str, str | None]:
    with closing(SqliteStore(path)) as store:
        return {job.id: job.fault for job in timed.every(store)}


def schedule(path: Path, id_: str) -> None:
    with closing(SqliteStore(path)) as store:
        store.write(lambda tx: timed.schedule(tx, id_, "unheard", {}, now_ms()))


def test_a_server_does_what_is_due_by_itself(server: Served) -> None:
    schedule(server.store, "beside")
    deadline = time.monotonic() + 60
    while faults(server.store)["beside"] is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "unheard" in (faults(server.store)["beside"] or "")


def test_jobs_are_done_where_no_server_runs(cmdb, tmp_path: Path) -> None:
    schedule(tmp_path / "own.db", "alone")
    ran = cmdb("jobs", "--once")
    assert ran.code == 0, ran.err
    assert "unheard" in (faults(tmp_path / "own.db")["alone"] or "")
