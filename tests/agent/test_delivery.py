"""The spool and the sender against a real HTTP server on loopback; processes are really killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cmdb_agent import delivery
from cmdb_agent.delivery import Delivery, Spool, SpoolFullError
from cmdb_agent.errors import DeliveryError, SettingsError
from cmdb_schemas.report import Content, Report, Scan, Scope, encode_content
from tests.receiver import RECEIPT, Receiver, Reply

LARGE = 10_000_000


@pytest.fixture
def server() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "state" / "spool.sqlite", LARGE)
    yield opened
    opened.close()


def report(id_: str, padding: str = "") -> Report:
    content = msgspec.Raw(encode_content(Content()))
    scope, scan = Scope(f"host-{id_}"), Scan(f"scan-{id_}{padding}")
    now = "2026-01-01T00:00:00Z"
    return Report(1, id_, "edge", "lab", "ssh", scope, scan, now, now, content)


def fill(spool: Spool, count: int) -> list[str]:
    ids = [f"r{number}" for number in range(count)]
    for id_ in ids:
        spool.put(report(id_))
    return ids


def sender(spool: Spool, server: Receiver, **options: Any) -> Delivery:
    return Delivery(spool, server.url, "env:TOKEN", **{"sleep": lambda _: None} | options)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")


def test_reports_go_out_in_order_with_the_token_and_leave_the_spool(spool: Spool, server: Receiver) -> None:
    ids = fill(spool, 3)
    outcome = sender(spool, server).flush()
    assert [document["id"] for document in server.received] == ids
    assert (outcome.delivered, outcome.pending, outcome.problem) == (3, 0, "")
    assert server.headers[0]["Authorization"] == "Bearer s3cret"
    assert server.headers[0][":path"] == "/api/v1/reports"


def test_sent_at_is_the_time_of_the_attempt_and_nothing_else_changes(spool: Spool, server: Receiver) -> None:
    fill(spool, 1)
    answers = iter([(500, {}, b""), RECEIPT])
    server.reply = lambda _: next(answers)
    sending = sender(spool, server)
    while sending.flush().pending:
        time.sleep(0.01)
    first, second = server.received
    assert first.pop("sent_at") < second.pop("sent_at")
    assert first == second
    assert second["observed_at"] == "2026-01-01T00:00:00Z"


def test_nobody_listens_and_nothing_is_lost(tmp_path: Path, server: Receiver) -> None:
    server.stop()
    path = tmp_path / "spool.sqlite"
    first = Spool(path, LARGE)
    ids = fill(first, 2)
    outcome = sender(first, server).flush(patience_s=0.2)
    assert (outcome.delivered, outcome.pending) == (0, 2)
    assert "ConnectError" in outcome.problem
    first.close()
    again = Spool(path, LARGE)
    assert [entry.id for entry in again.entries()] == ids


@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_a_refused_report_is_quarantined_by_name_and_blocks_no_other(
    spool: Spool, server: Receiver, status: int
) -> None:
    fill(spool, 3)
    problem = b'{"title": "Invalid report", "detail": "unknown class", "errors": {"content.observations[0]": ["x"]}}'
    json_type = {"Content-Type": "application/problem+json"}
    server.reply = lambda document: (status, json_type, problem) if document["id"] == "r1" else RECEIPT
    outcome = sender(spool, server).flush()
    assert server.acknowledged == ["r0", "r2"]
    assert outcome.pending == 0
    [refused] = outcome.quarantined
    assert (refused.id, refused.target) == ("r1", "host-r1")
    assert refused.reason.startswith(f"{status} Invalid report: unknown class")
    assert "content.observations[0]" in refused.reason
    assert [entry.id for entry in spool.entries("quarantined")] == ["r1"]
    assert sender(spool, server).flush().quarantined == []


def test_a_quarantined_report_can_be_released(spool: Spool, server: Receiver) -> None:
    fill(spool, 1)
    server.reply = lambda _: (422, {}, b"")
    sender(spool, server).flush()
    assert spool.release("another") == 0
    assert spool.release("r0") == 1
    server.reply = lambda _: RECEIPT
    assert sender(spool, server).flush().delivered == 1


@pytest.mark.parametrize("status", [401, 404, 302])
def test_a_fault_of_ours_keeps_everything_and_stops(spool: Spool, server: Receiver, status: int) -> None:
    fill(spool, 3)
    server.reply = lambda _: (status, {}, b"")
    outcome = sender(spool, server).flush()
    assert len(server.received) == 1
    assert (outcome.pending, outcome.quarantined) == (3, [])
    assert outcome.problem.startswith(str(status))


def test_a_token_that_cannot_be_resolved_keeps_everything(
    spool: Spool, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(spool, 1)
    monkeypatch.delenv("TOKEN")
    outcome = sender(spool, server).flush()
    assert (server.received, outcome.pending) == ([], 1)
    assert "env:TOKEN" in outcome.problem


def test_one_report_that_breaks_the_server_does_not_block_the_others(spool: Spool, server: Receiver) -> None:
    fill(spool, 4)
    server.reply = lambda document: (500, {}, b"") if document["id"] == "r0" else RECEIPT
    sending = sender(spool, server)
    outcome = sending.flush(patience_s=0.1)
    while outcome.delivered == 0:
        outcome = sending.flush(patience_s=0.1)
    assert server.acknowledged == ["r1", "r2", "r3"]
    assert [entry.id for entry in spool.entries()] == ["r0"]


def test_a_busy_server_is_given_the_time_it_asks_for(spool: Spool, server: Receiver) -> None:
    fill(spool, 1)
    answers = iter([(503, {"Retry-After": "17"}, b""), (429, {"Retry-After": "3"}, b""), RECEIPT])
    server.reply = lambda _: next(answers)
    waits: list[float] = []
    outcome = sender(spool, server, sleep=waits.append).flush()
    assert outcome.delivered == 1
    assert waits[0] == 17
    assert waits[1] == 3


def test_a_wait_beyond_our_patience_ends_the_flush(spool: Spool, server: Receiver) -> None:
    fill(spool, 1)
    server.reply = lambda _: (503, {"Retry-After": "4000"}, b"")
    outcome = sender(spool, server).flush(patience_s=30)
    assert (len(server.received), outcome.pending) == (1, 1)


def test_retry_after_may_be_a_date(spool: Spool, server: Receiver) -> None:
    fill(spool, 1)
    answers = iter([(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, b""), RECEIPT])
    server.reply = lambda _: next(answers)
    waits: list[float] = []
    assert sender(spool, server, sleep=waits.append).flush().delivered == 1
    assert waits[0] <= delivery.FIRST_WAIT_S * 2


def test_waits_are_spread_and_grow_to_a_bound() -> None:
    for attempt, bound in ((0, 0.5), (3, 4.0), (40, delivery.LONGEST_WAIT_S)):
        drawn = [delivery.jitter(attempt) for _ in range(300)]
        assert 0 <= min(drawn) < bound * 0.1
        assert bound * 0.9 < max(drawn) <= bound


def test_a_portal_that_answers_200_has_taken_nothing(spool: Spool, server: Receiver) -> None:
    fill(spool, 1)
    server.reply = lambda _: (200, {"Content-Type": "text/html"}, b"<html>please log in</html>")
    outcome = sender(spool, server).flush()
    assert outcome.pending == 1
    assert "not as a CMDB" in outcome.problem


def test_a_report_that_is_not_durable_yet_is_kept_until_it_is(spool: Spool, server: Receiver) -> None:
    fill(spool, 2)
    not_yet = (202, {"Content-Type": "application/json"}, b'{"revision": 7, "durable_revision": 6}')
    server.reply = lambda document: not_yet if document["id"] == "r0" else RECEIPT
    outcome = sender(spool, server).flush(patience_s=0.1)
    assert (outcome.delivered, outcome.pending) == (1, 1)
    assert [entry.reason for entry in spool.entries()] == [delivery.NOT_DURABLE]
    server.reply = lambda _: RECEIPT
    outcome = sender(spool, server, sleep=time.sleep).flush(patience_s=20)
    assert (outcome.delivered, outcome.pending, outcome.problem) == (1, 0, "")


def test_a_full_spool_refuses_the_new_and_keeps_the_old(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite", 4000)
    kept = []
    with pytest.raises(SpoolFullError, match="is full"):
        for number in range(100):
            spool.put(report(f"r{number}"))
            kept.append(f"r{number}")
    assert 0 < len(kept) < 10
    assert [entry.id for entry in spool.entries()] == kept
    assert spool.size() <= 4000


def test_the_quarantine_is_bounded_and_keeps_the_newest(tmp_path: Path, server: Receiver) -> None:
    spool = Spool(tmp_path / "spool.sqlite", 8000)
    server.reply = lambda _: (422, {}, b"")
    for number in range(20):
        spool.put(report(f"r{number}"))
        sender(spool, server).flush()
    held = [entry.id for entry in spool.entries("quarantined")]
    assert spool.size("quarantined") <= 2000
    assert held == [f"r{number}" for number in range(20 - len(held), 20)]


def test_the_spool_is_for_its_owner_alone(spool: Spool) -> None:
    assert spool.path.stat().st_mode & 0o077 == 0
    assert spool.path.parent.stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_spool_is_named(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    path.write_text("not a database, but long enough to be read as the header of one" * 20)
    with pytest.raises(DeliveryError, match=r"spool\.sqlite"):
        Spool(path, LARGE)


def test_only_one_process_sends(spool: Spool, server: Receiver) -> None:
    fill(spool, 1)
    with spool.sending() as ours:
        assert ours
        outcome = sender(Spool(spool.path, LARGE), server).flush()
    assert (outcome.problem, outcome.pending, server.received) == ("another process is delivering", 1, [])


SENDER = """
import sys
from pathlib import Path
from cmdb_agent.delivery import Delivery, Spool
from tests.agent.test_delivery import report
spool = Spool(Path(sys.argv[1]), 10_000_000)
for number in range(int(sys.argv[3])):
    spool.put(report(f"r{number}"))
print("spooled", flush=True)
print(Delivery(spool, sys.argv[2], "env:TOKEN").flush().delivered, flush=True)
"""


def start(path: Path, url: str, count: int) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", SENDER, str(path), url, str(count)]
    return subprocess.Popen(command, cwd=root, text=True, stdout=subprocess.PIPE, env={**os.environ, "TOKEN": "t"})


@pytest.mark.parametrize("kill_at", [1, 4, 9])
def test_a_sender_killed_in_the_middle_loses_and_doubles_nothing(
    tmp_path: Path, server: Receiver, kill_at: int
) -> None:
    """Killed while the server holds a report it has not acknowledged: that one comes again, with the same id."""
    process: subprocess.Popen[str]
    reached = threading.Event()

    def reply(_: dict[str, Any]) -> Reply | None:
        if len(server.received) == kill_at:
            reached.set()
            return None
        return RECEIPT

    server.reply = reply
    path = tmp_path / "spool.sqlite"
    with start(path, server.url, 10) as process:
        assert reached.wait(30)
        process.send_signal(signal.SIGKILL)
    server.reply = lambda _: RECEIPT
    with start(path, server.url, 0) as process:
        told = process.communicate(timeout=60)[0].split()
    assert told == ["spooled", str(10 - kill_at + 1)]
    assert sorted(server.acknowledged) == sorted(f"r{number}" for number in range(10))
    twice = server.received[kill_at - 1]["id"], server.received[kill_at]["id"]
    assert twice[0] == twice[1]


def test_a_report_is_on_disk_before_the_first_attempt(tmp_path: Path, server: Receiver) -> None:
    """Seen from another connection while the server has only just been asked."""
    path = tmp_path / "spool.sqlite"
    seen: list[int] = []

    def reply(_: dict[str, Any]) -> Reply:
        with sqlite3.connect(path) as other:
            seen.append(other.execute("SELECT count(*) FROM report").fetchone()[0])
        return RECEIPT

    server.reply = reply
    spool = Spool(path, LARGE)
    fill(spool, 2)
    sender(spool, server).flush()
    assert seen == [2, 1]


@pytest.mark.parametrize("url", ["http://cmdb.example", "http://10.0.0.1:8080", "ftp://127.0.0.1", "cmdb.example", ""])
def test_a_token_never_travels_in_the_clear(url: str) -> None:
    with pytest.raises(SettingsError):
        delivery.client(url)


@pytest.mark.parametrize(
    "url", ["https://cmdb.example", "http://127.0.0.1:5000", "http://[::1]:80", "http://localhost"]
)
def test_servers_that_may_be_spoken_to(url: str) -> None:
    delivery.client(url).close()


def test_enrolling_buys_a_token(server: Receiver) -> None:
    server.reply = lambda _: (201, {"Content-Type": "application/json"}, b'{"token": "cmdb_abc"}')
    assert delivery.enrol(server.url, "code-1", "edge") == "cmdb_abc"
    assert server.received == [{"code": "code-1", "agent": "edge"}]
    assert server.headers[0][":path"] == "/api/v1/enrol"


def test_a_used_code_says_so(server: Receiver) -> None:
    server.reply = lambda _: (403, {"Content-Type": "application/problem+json"}, b'{"title": "Code used"}')
    with pytest.raises(DeliveryError, match="403 Code used") as refused:
        delivery.enrol(server.url, "code-1", "edge")
    assert refused.value.refused
