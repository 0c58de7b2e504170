"""The lab: real hosts in namespaces, with real sshd, snmpd and services, raised and lowered for a test.

``Estate`` is what the lab tells of itself (its truth) and the hands to change it; ``Recorder`` stands between an agent
and its server and keeps what passes.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

LAB = (Path(__file__).parents[1] / "../shared/lab/lab.py").resolve()
SYSTEM_PYTHON = "/usr/bin/python3"


def missing() -> str:
    """Why the lab cannot be raised; empty when it can."""
    if not LAB.is_file():
        return f"needs the lab ({LAB})"
    if os.geteuid() != 0:
        return "needs root: the lab makes network namespaces"
    wanted = subprocess.run([SYSTEM_PYTHON, LAB, "apt"], text=True, capture_output=True, check=True).stdout.split()
    absent = [name for name in wanted if not list(Path("/var/lib/dpkg/info").glob(f"{name}*.list"))]
    return f"needs the Debian packages {' '.join(absent)}" if absent else ""


@dataclass(frozen=True)
class Estate:
    """A raised lab. ``truth`` is its own account of hosts, listeners, packages and dependencies."""

    prefix: str
    truth: dict[str, Any]

    @property
    def hosts(self) -> dict[str, Any]:
        """Name -> host, as the truth tells."""
        return {host["name"]: host for host in self.truth["hosts"]}

    def address(self, host: str) -> str:
        return str(self.hosts[host]["interfaces"][0]["ipv4"])

    def run(self, host: str, *command: str) -> str:
        """What a command printed as root on a host."""
        return _lab("--prefix", self.prefix, "exec", host, *command)

    def kill(self, host: str) -> None:
        """As a power cut would."""
        pid = int((Path(f"/run/cmdblab-{self.prefix}/hosts") / host / "pid").read_text())
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), 9)


@contextmanager
def raised(prefix: str, *options: str) -> Iterator[Estate]:
    """A lab while the block runs; ``options`` are those of ``lab.py up``."""
    try:
        told = _lab("up", "--prefix", prefix, *options)
        truth = Path(f"/run/cmdblab-{prefix}/truth.json")
        assert "missing: nothing" in told, told
        yield Estate(prefix, json.loads(truth.read_text()))
    finally:
        _lab("down", "--prefix", prefix)


def _lab(*arguments: str) -> str:
    done = subprocess.run(
        [SYSTEM_PYTHON, LAB, *arguments], text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"lab.py {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Delivered:
    """A report that was taken in: its bytes as they were sent, unpacked, and what the server answered."""

    body: bytes
    ack: dict[str, Any]

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def target(self) -> tuple[str, str]:
        """Source and target of its scope."""
        report = self.report
        return report["source"], report["scope"]["target"]


@dataclass
class Recorder:
    """Hands every request on to ``server`` and keeps the reports that were acknowledged, in their order."""

    server: str
    kept: list[Delivered] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def serving(self) -> Iterator[Recorder]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                given = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                answer = client.post(recorder.server + self.path, content=body, headers=given)
                if answer.is_success and self.path.endswith("/reports"):
                    packed = self.headers.get("Content-Encoding") == "gzip"
                    recorder.kept.append(Delivered(gzip.decompress(body) if packed else body, answer.json()))
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: object) -> None:
                """Nothing: pytest has a log of its own."""

        with httpx.Client(timeout=60) as client, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
            self.url = f"http://127.0.0.1:{http.server_port}"
            thread = threading.Thread(target=http.serve_forever)
            thread.start()
            try:
                yield self
            finally:
                http.shutdown()
                thread.join()
