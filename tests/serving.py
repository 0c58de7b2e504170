"""A real server for tests: ``cmdb serve`` in a process group of its own, on a free loopback port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cmdb_server.api import token
from cmdb_server.api.context import now_ms
from cmdb_server.ingest.caller import Grant
from cmdb_server.store.sqlite import SqliteStore

_MAIN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may have had it ignored
from cmdb_server.cli import main
sys.exit(main())
"""
COMMAND = (sys.executable, "-c", _MAIN, "serve")
PATIENCE_S = 60


@dataclass
class Served:
    """``url`` and ``token`` (admin) to ask it with; ``store`` is the file it keeps everything in."""

    url: str
    token: str
    store: Path
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End all its processes at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)


def start(folder: Path, admin: str = "", dev: bool = False, **settings: str) -> Served:
    """Serve ``folder``'s store; one that exists is served on."""
    store = folder / "cmdb.db"
    if not admin:
        opened = SqliteStore(store)
        admin, _ = token.create(opened, "tests", "admin", None, now_ms(), token.DAY_MS)
        opened.close()
    address, log = folder / "address", folder / "log"
    address.unlink(missing_ok=True)
    environment = {"PATH": os.environ["PATH"], "CMDB_STORE": f"sqlite://{store}", **settings}
    command = [*COMMAND, "--bind", "127.0.0.1:0", "--address-file", str(address), *(["--dev"] if dev else [])]
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
        )
    deadline = time.monotonic() + PATIENCE_S
    while not address.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"not served: {log.read_text()}")
        time.sleep(0.02)
    return Served(address.read_text().strip(), admin, store, process, log)


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[Served]:
    """A server while the block runs."""
    running = start(folder, **settings)
    try:
        yield running
    finally:
        stop(running)


def stop(running: Served) -> None:
    """End it as an operator does."""
    running.process.terminate()
    try:
        running.process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        running.kill()


def agent_token(store: Path, agent: str) -> str:
    """A token of this agent, for anything anywhere."""
    opened = SqliteStore(store)
    text, _ = token.create(opened, agent, "agent", Grant(agent), now_ms(), token.DAY_MS)
    opened.close()
    return text
