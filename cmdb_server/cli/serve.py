"""``cmdb serve``: gunicorn around the app, in this process and its workers."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from cmdb_server.cli.exits import USAGE, fail
from cmdb_server.settings import LOOPBACK, Settings, bind_address

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
LONGEST_JOB_S = 5.0
"""How long a worker that ends waits for the job it is at; its claim passes on otherwise."""
LONGEST_LINE = 8190
"""Bytes of a request's first line, the most that gunicorn can: a selector is a part of it, encoded."""
Announce = Callable[[str], None]


class JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's own messages, in the one log of the process."""

    def setup(self, cfg: Any) -> None:  # noqa: ARG002
        self.error_log = logging.getLogger("gunicorn.error")
        self.access_log = logging.getLogger("gunicorn.access")
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with the app of these settings, which every worker makes for itself after it has parted."""

    def __init__(self, settings: Settings, announce: Announce) -> None:
        from cmdb_server.api.quota import Quota

        self._settings, self._announce = settings, announce
        self._quota = Quota(settings.requests_per_minute, settings.bytes_per_minute)
        self._key = secrets.token_bytes(32)
        super().__init__()

    def load_config(self) -> None:
        host, port = self._settings.bind
        told = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": self._settings.workers,
            "threads": self._settings.threads,
            "worker_class": "gthread",
            "logger_class": JsonLogger,
            "control_socket_disable": True,
            "limit_request_line": LONGEST_LINE,
            "secure_scheme_headers": {},
            "when_ready": self._when_ready,
            "child_exit": _forget_metrics,
            "post_worker_init": _start_jobs,
            "worker_exit": _end_jobs,
            "certfile": self._settings.tls_certificate and str(self._settings.tls_certificate),
            "keyfile": self._settings.tls_key and str(self._settings.tls_key),
        }
        for name, value in told.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from cmdb_server.app import create_app

        return create_app(self._settings, quota=self._quota, key=self._key)

    def _when_ready(self, arbiter: Any) -> None:
        self._announce(url(self._settings, arbiter.LISTENERS[0].sock.getsockname()))


def serve(settings: Settings, bind: str | None, address_file: Path | None, say: Announce, *, dev: bool) -> None:
    """Serve until a signal ends it. The address is said, and written to ``address_file``, once it is listened at."""
    if bind is not None:
        try:
            settings = replace(settings, bind=bind_address(bind))
        except ValueError as error:
            fail(USAGE, f"--bind {bind}: {error}")
    if settings.bind[0] not in LOOPBACK and not settings.tls and not settings.proxies:
        fail(
            USAGE,
            f"{settings.bind[0]} is beyond this machine, where plain HTTP is refused: "
            "set CMDB_TLS_CERTIFICATE and CMDB_TLS_KEY, or declare the proxy in front (CMDB_PROXIES=1)",
        )
    with tempfile.TemporaryDirectory(prefix="cmdb-metrics-") as metrics:
        # Before the app is imported: its metrics library looks for this then.
        os.environ[METRICS_FOLDER] = metrics

        def announce(address: str) -> None:
            say(address)
            if address_file is not None:
                _write(address_file, address)

        from cmdb_server.api.access import log_as_json
        from cmdb_server.app import open_store

        log_as_json(settings.log_level)
        # Creates or migrates the store once, and tells what is wrong with it before there are workers to fail.
        open_store(settings).close()
        _run(settings, announce, dev=dev)


def _run(settings: Settings, announce: Announce, *, dev: bool) -> None:
    if dev:
        from cmdb_server.app import serve_for_development

        serve_for_development(settings, lambda address: announce(url(settings, address)))
    else:
        Server(settings, announce).run()


def url(settings: Settings, address: tuple[Any, ...]) -> str:
    """The URL of a socket's address."""
    host, port = str(address[0]), int(address[1])
    return f"{'https' if settings.tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _write(path: Path, address: str) -> None:
    """Whole or not at all, since somebody waits for the file."""
    part = path.with_name(path.name + ".part")
    part.write_text(address + "\n", encoding="utf-8")
    shutil.move(part, path)


def _forget_metrics(_: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _start_jobs(worker: Any) -> None:
    """Each worker does timed jobs and tells webhooks beside its requests: they claim one another's nothing."""
    from cmdb_server.app import runners_of

    worker.runners = runners_of(worker.wsgi)
    for runner in worker.runners:
        runner.start()


def _end_jobs(_: Any, worker: Any) -> None:
    until = time.monotonic() + LONGEST_JOB_S
    for runner in getattr(worker, "runners", ()):
        runner.end(max(0.0, until - time.monotonic()))
