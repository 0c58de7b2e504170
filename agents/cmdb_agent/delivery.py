"""Gets reports to the server: a durable, bounded spool, and a sender that retries.

A report is on disk before the first attempt to send it and leaves the spool only once the server has said that it
has it; the server knows a report by its id, so one that is sent twice counts once. What the server refuses for good is
quarantined under its name and blocks nothing.

The spool is bounded. When it is full, the *new* scan is refused with an error and nothing that was accepted is
dropped: an older report is history that no later one holds, while a scan can be made again. The quarantine has a
quarter of the same bound; of it, the oldest go.
"""

from __future__ import annotations

import contextlib
import email.utils
import fcntl
import gzip
import json
import os
import random
import sqlite3
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import httpx
import msgspec

from cmdb_agent import credentials
from cmdb_agent.errors import DeliveryError, SettingsError
from cmdb_schemas.report import Report

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 300.0
REFUSED = frozenset({400, 403, 413, 422})
"""Answers that no repetition will change: the report is quarantined."""
OUR_FAULT = frozenset({401, 404, 405, 407})
"""Answers about the way, not about the report: nothing is sent until someone has mended it."""
_FAILURES_OF_ONE = 3
"""So many server errors in a row are the server's trouble, not that of single reports."""
NOT_DURABLE = "taken in, but not durable yet"
NOT_DURABLE_WAIT_S = 1.0
_ROW_OVERHEAD = 512

_SCHEMA = """
CREATE TABLE IF NOT EXISTS report (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    target TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'quarantined')),
    size INTEGER NOT NULL,
    spooled_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS report_state ON report (state, row);
"""
_COLUMNS = "row, id, target, state, size, spooled_at, attempts, not_before, reason"


class SpoolFullError(DeliveryError):
    """The spool holds all it may; deliver (``flush``) before scanning on."""

    kind = "spool-full"


@dataclass(frozen=True, slots=True)
class Spooled:
    """One report in the spool, without its body. Times are seconds since 1970; ``size`` is in bytes."""

    row: int
    id: str
    target: str
    state: str
    size: int
    spooled_at: float
    attempts: int
    not_before: float
    reason: str


@dataclass(slots=True)
class Outcome:
    """What one flush came to. ``problem`` says why it stopped with reports still pending."""

    delivered: int = 0
    pending: int = 0
    quarantined: list[Spooled] = field(default_factory=list)
    problem: str = ""


class Spool:
    """Reports on disk in the order in which they came, shared by all processes of one agent."""

    def __init__(self, path: Path, limit_bytes: int) -> None:
        """Opens or creates the spool. Raises ``DeliveryError`` naming the file."""
        self.path, self._limit = path, limit_bytes
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Reports tell all about a network: created for the owner alone.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise DeliveryError(f"spool {path}: {error}") from error

    def close(self) -> None:
        self._db.close()

    def put(self, report: Report) -> None:
        """Takes a report; it is on disk when this returns. Raises ``SpoolFullError``."""
        body = gzip.compress(msgspec.json.encode(report), 6, mtime=0)
        size = len(body) + _ROW_OVERHEAD
        try:
            with self._writing():
                if self.size() + size > self._limit:
                    raise SpoolFullError(
                        f"spool {self.path} is full ({self._limit} bytes): {report.scope.target} not kept"
                    )
                self._db.execute(
                    "INSERT INTO report (id, target, size, spooled_at, body) VALUES (?, ?, ?, ?, ?)",
                    (report.id, report.scope.target, size, time.time(), body),
                )
        except sqlite3.OperationalError as error:
            raise SpoolFullError(f"spool {self.path}: {error}: {report.scope.target} not kept") from error

    def size(self, state: str = "pending") -> int:
        """Bytes held in a state."""
        query = "SELECT coalesce(sum(size), 0) FROM report WHERE state = ?"
        return int(self._db.execute(query, (state,)).fetchone()[0])

    @property
    def full(self) -> bool:
        """Whether not even a small report fits, so that scanning would be in vain."""
        return self.size() + 2 * _ROW_OVERHEAD > self._limit

    def entries(self, state: str = "pending") -> list[Spooled]:
        """What the spool holds in a state, oldest first."""
        query = f"SELECT {_COLUMNS} FROM report WHERE state = ? ORDER BY row"  # noqa: S608 - constant columns
        return [Spooled(*row) for row in self._db.execute(query, (state,))]

    def count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM report WHERE state = 'pending'").fetchone()[0])

    def report(self, row: int) -> Report:
        body = self._db.execute("SELECT body FROM report WHERE row = ?", (row,)).fetchone()[0]
        return msgspec.json.decode(gzip.decompress(body), type=Report)

    def due(self, now: float) -> Spooled | None:
        """The oldest report that may be sent now. A time too far ahead is another clock's, and does not count."""
        query = f"""SELECT {_COLUMNS} FROM report WHERE state = 'pending' AND (not_before <= ? OR not_before > ?)
            ORDER BY row LIMIT 1"""  # noqa: S608 - constant columns
        row = self._db.execute(query, (now, now + LONGEST_WAIT_S)).fetchone()
        return Spooled(*row) if row else None

    def next_due(self) -> float | None:
        """When the next pending report may be sent."""
        row = self._db.execute("SELECT min(not_before) FROM report WHERE state = 'pending'").fetchone()
        return None if row[0] is None else float(row[0])

    def remove(self, row: int) -> None:
        with self._writing():
            self._db.execute("DELETE FROM report WHERE row = ?", (row,))

    def postpone(self, row: int, not_before: float, reason: str) -> None:
        with self._writing():
            query = "UPDATE report SET attempts = attempts + 1, not_before = ?, reason = ? WHERE row = ?"
            self._db.execute(query, (not_before, reason, row))

    def quarantine(self, row: int, reason: str) -> None:
        """Sets a refused report aside; the oldest of those give way when they are too many."""
        with self._writing():
            query = "UPDATE report SET state = 'quarantined', attempts = attempts + 1, reason = ? WHERE row = ?"
            self._db.execute(query, (reason, row))
            for old in self.entries("quarantined"):
                if self.size("quarantined") <= self._limit // 4 or old.row == row:
                    break
                self._db.execute("DELETE FROM report WHERE row = ?", (old.row,))

    def release(self, id_: str = "") -> int:
        """Puts quarantined reports (one, or all) back in the queue, after what was wrong has been mended."""
        with self._writing():
            query = "UPDATE report SET state = 'pending', not_before = 0 WHERE state = 'quarantined' AND ? IN ('', id)"
            return self._db.execute(query, (id_,)).rowcount

    @contextlib.contextmanager
    def sending(self) -> Iterator[bool]:
        """Whether this process is the one that sends; the kernel frees the place of one that dies."""
        with Path(f"{self.path}.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt. ``status`` 0: no answer. ``retry_after_s``: what the server asked for. ``durable``:
    the server has it where no crash can reach it; until then it stays here, too."""

    status: int
    reason: str = ""
    retry_after_s: float = 0.0
    durable: bool = True

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


class Delivery:
    """Sends what is in a spool to one server."""

    def __init__(
        self,
        spool: Spool,
        server: str,
        token: str,
        ca_file: str = "",
        stop: Event | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        """``token`` is a reference, resolved at each attempt, so that it can be exchanged while the agent runs.
        Once ``stop`` is set, nothing more is sent. Raises ``SettingsError`` for a server that may not be spoken to."""
        self._spool, self._token, self._stop = spool, token, stop or Event()
        self._sleep = sleep or self._stop.wait
        self._client = client(server, ca_file)

    def close(self) -> None:
        self._client.close()

    def flush(self, patience_s: float = 30.0) -> Outcome:
        """Sends until the spool is empty, the server refuses the agent, or no success came for ``patience_s``."""
        outcome = Outcome()
        with self._spool.sending() as ours:
            if ours:
                self._send_all(outcome, patience_s)
            else:
                outcome.problem = "another process is delivering"
        outcome.pending = self._spool.count()
        return outcome

    def _send_all(self, outcome: Outcome, patience_s: float) -> None:
        deadline, failures = time.monotonic() + patience_s, 0
        while not self._stop.is_set() and (entry := self._next(deadline)):
            answer = self._send(entry)
            if answer.taken and not answer.durable:
                self._spool.postpone(entry.row, time.time() + NOT_DURABLE_WAIT_S, NOT_DURABLE)
                outcome.problem = NOT_DURABLE
                continue
            if answer.taken:
                self._spool.remove(entry.row)
                outcome.delivered += 1
                outcome.problem, failures = "", 0
                deadline = time.monotonic() + patience_s
                continue
            if answer.status in REFUSED:
                self._spool.quarantine(entry.row, answer.reason)
                outcome.quarantined += [one for one in self._spool.entries("quarantined") if one.row == entry.row]
                continue
            outcome.problem, failures = answer.reason, failures + 1
            wait = max(answer.retry_after_s, jitter(failures))
            of_one = answer.status >= 500 and answer.status != 503 and failures <= _FAILURES_OF_ONE
            alone = jitter(entry.attempts + 1) if of_one else 0.0
            self._spool.postpone(entry.row, time.time() + alone, answer.reason)
            if answer.status in OUR_FAULT or 300 <= answer.status < 400 or time.monotonic() + wait > deadline:
                return
            self._sleep(wait if not of_one else 0)

    def _next(self, deadline: float) -> Spooled | None:
        """The next report that may be sent before the deadline; waits for it."""
        entry, due = self._spool.due(time.time()), self._spool.next_due()
        while entry is None and due is not None:
            wait = max(0.01, due - time.time())
            if self._stop.is_set() or time.monotonic() + wait > deadline:
                return None
            self._sleep(wait)
            entry, due = self._spool.due(time.time()), self._spool.next_due()
        return entry

    def _send(self, entry: Spooled) -> Answer:
        """One attempt; ``sent_at`` is its own time, from which the server learns how this clock goes."""
        report = msgspec.structs.replace(self._spool.report(entry.row), sent_at=rfc3339(time.time()))
        try:
            headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            if self._token:
                headers["Authorization"] = f"Bearer {credentials.resolve(self._token)}"
            body = gzip.compress(msgspec.json.encode(report), 6, mtime=0)
            answer = self._client.post("/api/v1/reports", content=body, headers=headers)
        except credentials.CredentialError as error:
            return Answer(401, str(error))
        except httpx.HTTPError as error:
            return Answer(0, f"{type(error).__name__}: {error}"[:300])
        if answer.is_success:
            return _receipt(answer)
        return Answer(answer.status_code, _reason(answer), _retry_after(answer))


def client(server: str, ca_file: str = "") -> httpx.Client:
    """An HTTP client for one server. Raises ``SettingsError``: a token is sent in the clear to this machine only."""
    if urlsplit(server).scheme not in ("http", "https") or not urlsplit(server).hostname:
        raise SettingsError(f"server {server!r}: expected https://host")
    if urlsplit(server).scheme == "http" and not credentials.is_loopback(server):
        raise SettingsError(f"server {server}: plain HTTP is for this machine only; use https")
    try:
        context: ssl.SSLContext | bool = ssl.create_default_context(cafile=ca_file) if ca_file else True
    except OSError as error:
        raise SettingsError(f"ca_file {ca_file}: {error}") from error
    return httpx.Client(
        base_url=server.rstrip("/"),
        verify=context,
        timeout=httpx.Timeout(60.0, connect=5.0),
        headers={"User-Agent": f"cmdb-agent/{version('cmdb-agent')}", "Accept": "application/json"},
    )


def enrol(server: str, code: str, agent: str, ca_file: str = "") -> str:
    """Exchanges a one-time code for this agent's token. Raises ``DeliveryError`` with the server's reason."""
    with client(server, ca_file) as session:
        try:
            answer = session.post("/api/v1/enrol", json={"code": code, "agent": agent})
        except httpx.HTTPError as error:
            raise DeliveryError(f"{server}: {type(error).__name__}: {error}") from error
    if not answer.is_success:
        raise DeliveryError(f"{server}: {_reason(answer)}", refused=answer.is_client_error)
    try:
        token = answer.json()["token"]
    except (ValueError, KeyError, TypeError):
        raise DeliveryError(f"{server}: the answer holds no token") from None
    return str(token)


def jitter(attempt: int) -> float:
    """Full jitter: anything up to a wait that doubles with each attempt, so that agents do not come back at once."""
    return random.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(attempt, 16)))  # noqa: S311 - no secret


def rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _receipt(answer: httpx.Response) -> Answer:
    """A portal's 200 is no receipt: the server's own tells the revision that holds the report, and the newest that is
    durable."""
    try:
        receipt = answer.json()
        return Answer(answer.status_code, durable=int(receipt["durable_revision"]) >= int(receipt["revision"]))
    except (ValueError, TypeError, KeyError):
        return Answer(302, "the server answered, but not as a CMDB: is a proxy or portal in between?")


def _reason(answer: httpx.Response) -> str:
    """The status with what a problem document (RFC 9457) says, in one line."""
    said = ""
    with contextlib.suppress(ValueError, AttributeError):
        problem = answer.json()
        parts = [str(problem.get("title") or ""), str(problem.get("detail") or "")]
        parts.append(json.dumps(problem["errors"]) if problem.get("errors") else "")
        said = ": ".join(part for part in parts if part)
    return f"{answer.status_code} {said or answer.reason_phrase}"[:500]


def _retry_after(answer: httpx.Response) -> float:
    """Seconds, from seconds or from a date (RFC 9110, 10.2.3)."""
    text = answer.headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    return 0.0
