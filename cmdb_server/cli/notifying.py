"""Tells webhooks of changes and does timed jobs, from the store itself, until it is ended."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import closing
from typing import TypeAlias

from cmdb_server import settings
from cmdb_server.cli.commands import Told, opened

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add(sub: Subparsers) -> None:
    """The commands ``webhooks`` and ``jobs``."""
    for name, run, help_ in (
        ("webhooks", webhooks, "tell webhooks of changes, until it is ended"),
        ("jobs", jobs, "do timed jobs, until it is ended; a server does them itself unless CMDB_JOBS=off"),
    ):
        one = sub.add_parser(name, help=help_)
        one.add_argument("--once", action="store_true", help="do what is due, and end")
        one.add_argument("--every", type=float, default=2.0, metavar="SECONDS", help="how often to look (2)")
        one.set_defaults(run=run)


def webhooks(told: Told) -> None:
    from cmdb_server.jobs.webhooks import deliver

    allowed = settings.read().webhook_networks
    with opened() as store:
        _work(told, lambda now_ms: deliver(store, allowed, now_ms))


def jobs(told: Told) -> None:
    from cmdb_server.app import running
    from cmdb_server.jobs.standing import work

    found = running(settings.read())
    with closing(found.store):
        _work(told, lambda now_ms: work(found, now_ms))


def _work(told: Told, work: Callable[[int], int]) -> None:
    while True:
        while work(time.time_ns() // 1_000_000):
            pass
        if told.once:
            return
        time.sleep(told.every)
