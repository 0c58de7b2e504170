"""A thread beside the server's own that does what is due, again and again, until it is ended."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from cmdb_server.errors import CmdbError

LOG = logging.getLogger(__name__)
EVERY_S = 2.0


class Runner:
    """Calls ``work`` with the present ms until it gives 0, then waits ``every`` seconds, and so on. Where the store
    does not answer, it waits too."""

    def __init__(self, work: Callable[[int], int], every: float = EVERY_S, name: str = "jobs") -> None:
        self._work, self._every = work, every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self, timeout: float | None = None) -> None:
        """Begin nothing more, and wait for what was begun."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                while self._work(time.time_ns() // 1_000_000) and not self._ended.is_set():
                    pass
            except CmdbError as error:
                LOG.warning("%s wait: %s", self._thread.name, error)
            except Exception:
                LOG.exception("%s wait", self._thread.name)
            self._ended.wait(self._every)
