"""Servers tell receivers of what they take in, and do what is due; ``cmdb webhooks`` and ``cmdb jobs`` do where they do
not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from cmdb_server.api.context import now_ms
from cmdb_server.practices import timed
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import host, report
from tests.receiver import Receiver
from tests.serving import Served, served

Run: TypeAlias = "Callable[..., Any]"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    opened.reply = lambda _: (200, {}, b"")
    yield opened
    opened.stop()


def take_in(running: Served, id_: str, **attributes: str) -> None:
    bearer = {"Authorization": f"Bearer {running.token}", "Content-Type": "application/json"}
    body = report(id_, now_ms(), [host("web-1", "10.0.0.1", **attributes)])
    assert httpx.post(f"{running.url}/api/v1/reports", content=body, headers=bearer).status_code == 200


def listed(cmdb: Run, **told: str) -> list[dict[str, Any]]:
    ran = cmdb("webhooks", "list", "--json", **told)
    assert ran.code == 0, ran.err
    found: list[dict[str, Any]] = json.loads(ran.out)
    return found


def test_where_servers_do_not_the_command_tells_changes_signed_and_once(
    cmdb: Run, receiver: Receiver, tmp_path: Path
) -> None:
    with served(tmp_path, CMDB_JOBS="off") as running:
        asked = {"CMDB_SERVER": running.url, "CMDB_TOKEN": running.token}
        add = ("webhooks", "add", receiver.url, "--secret", "env:HOOK_KEY", "--kind", "ci")
        assert cmdb(*add, **asked).code == 0
        take_in(running, "r1")
        told = {"CMDB_STORE": f"sqlite://{running.store}", "HOOK_KEY": "hush"}
        assert cmdb("webhooks", "--once", **told).code == 0
        assert receiver.received == [], "loopback is refused unless it is allowed"
        (hook,) = listed(cmdb, **asked)
        assert hook["attempts"] == 1 and "CMDB_WEBHOOK_NETWORKS" in hook["fault"]
        assert cmdb("webhooks", "remove", hook["id"], **asked).code == 0
        assert cmdb("webhooks", "remove", hook["id"], **asked).code == 5
        assert cmdb(*add, **asked).code == 0
        take_in(running, "r2", os_name="b")
        for _ in range(2):
            ran = cmdb("webhooks", "--once", **told, CMDB_WEBHOOK_NETWORKS="127.0.0.0/8")
            assert ran.code == 0, ran.err
        ((event,),) = receiver.received
        assert event["data"]["cause"]["report"] == "r2"
        assert receiver.headers[0]["webhook-signature"].startswith("v1,")


def test_a_server_tells_those_who_listen_by_itself_whatever_others_answer(
    cmdb: Run, receiver: Receiver, tmp_path: Path
) -> None:
    deaf, elsewhere = Receiver(), Receiver()
    deaf.reply = lambda _: None
    elsewhere.reply = lambda _: (307, {"Location": receiver.url}, b"")
    try:
        with served(tmp_path, CMDB_WEBHOOK_NETWORKS="127.0.0.0/8", HOOK_KEY="hush") as running:
            asked = {"CMDB_SERVER": running.url, "CMDB_TOKEN": running.token}
            for url in (deaf.url, elsewhere.url, receiver.url):
                assert cmdb("webhooks", "add", url, "--secret", "env:HOOK_KEY", **asked).code == 0
            take_in(running, "r1")
            until(lambda: receiver.received and elsewhere.received and deaf.received)
            until(lambda: sum(hook["attempts"] for hook in listed(cmdb, **asked)) >= 2)
            assert cmdb("webhooks", "remove", "--json", listed(cmdb, **asked)[0]["id"], **asked).code == 0
            faults = {hook["url"]: hook["fault"] for hook in listed(cmdb, **asked)}
    finally:
        deaf.stop()
        elsewhere.stop()
    assert faults[receiver.url] is None and "307" in faults[elsewhere.url]
    assert {event["id"] for batch in receiver.received for event in batch} == {
        event["id"] for batch in elsewhere.received for event in batch
    }


def until(there: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def faults(path: Path) -> dict[str, str | None]:
    with closing(SqliteStore(path)) as store:
        return {job.id: job.fault for job in timed.every(store)}


def schedule(path: Path, id_: str) -> None:
    with closing(SqliteStore(path)) as store:
        store.write(lambda tx: timed.schedule(tx, id_, "unheard", {}, now_ms()))


def test_a_server_does_what_is_due_by_itself(server: Served) -> None:
    schedule(server.store, "beside")
    until(lambda: faults(server.store)["beside"])
    assert "unheard" in (faults(server.store)["beside"] or "")


def test_jobs_are_done_where_no_server_runs(cmdb, tmp_path: Path) -> None:
    schedule(tmp_path / "own.db", "alone")
    ran = cmdb("jobs", "--once")
    assert ran.code == 0, ran.err
    assert "unheard" in (faults(tmp_path / "own.db")["alone"] or "")
