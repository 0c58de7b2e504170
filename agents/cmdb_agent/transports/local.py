"""Runs the script on this machine, under the same limits as over SSH."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

from cmdb_agent.errors import TransportError
from cmdb_agent.observation import Transcript
from cmdb_agent.settings import Limits
from cmdb_agent.transports.capture import Capture

_CHUNK = 65_536
_LINGER_S = 1.0
"""How long output is awaited once the script has ended: something in its background may hold the pipes open."""


class LocalTransport:
    """``sh -s`` in a session of its own, so that all it started can be ended with it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def run(self, script: str) -> Transcript:
        # The agent's own environment may name its token: the script gets none of it.
        environ = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/")}
        pipe = subprocess.PIPE
        try:
            shell = subprocess.Popen(
                ["/bin/sh", "-s"], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, cwd="/", env=environ
            )
        except OSError as error:
            raise TransportError(f"local: /bin/sh: {error.strerror}", "unreachable") from None
        capture = Capture(self._limits.output_bytes)
        with shell:
            try:
                cut = _exchange(shell, script.encode("utf-8", "replace"), capture, self._limits.script_s)
            finally:
                _end_session(shell.pid)
            code = shell.wait()
        return capture.transcript(code if not cut else -1, cut)

    def close(self) -> None:
        """Nothing is left open between runs."""


def _exchange(shell: subprocess.Popen[bytes], script: bytes, capture: Capture, limit_s: float) -> str:
    """Feeds and drains all three pipes at once, none waiting for another; tells why it stopped early, if it did."""
    deadline = time.monotonic() + limit_s
    with selectors.DefaultSelector() as waiting:
        for stream, events, sink in (
            (shell.stdout, selectors.EVENT_READ, capture.output),
            (shell.stderr, selectors.EVENT_READ, capture.error),
            (shell.stdin, selectors.EVENT_WRITE, None),
        ):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            waiting.register(stream, events, sink)
        while waiting.get_map():
            if shell.poll() is not None:
                deadline = min(deadline, time.monotonic() + _LINGER_S)
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return "" if shell.poll() is not None else "timeout"
            for key, _ in waiting.select(min(remaining, _LINGER_S)):
                if key.data is None:
                    script = _feed(waiting, key.fileobj, script)  # type: ignore[arg-type]
                elif data := os.read(key.fd, _CHUNK):
                    key.data(data)
                else:
                    waiting.unregister(key.fileobj)
            if capture.full:
                return "too-large"
    return _await_exit(shell, deadline)


def _await_exit(shell: subprocess.Popen[bytes], deadline: float) -> str:
    """A script may close its outputs and go on."""
    try:
        shell.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return "timeout"
    return ""


def _feed(waiting: selectors.BaseSelector, stream: IO[bytes], script: bytes) -> bytes:
    """Writes what the pipe takes; gives what is left."""
    try:
        script = script[os.write(stream.fileno(), script[:_CHUNK]) :]
    except BrokenPipeError:
        script = b""
    if not script:
        waiting.unregister(stream)
        stream.close()
    return script


def _end_session(session: int) -> None:
    """Ends what the script left running. Commands under ``timeout`` have groups of their own, so the session is
    searched for, where there is a /proc to search."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[3]) == session:
                os.kill(int(stat.parent.name), signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.killpg(session, signal.SIGKILL)
