"""Tells webhooks of changes, from the store itself, until it is ended."""

from __future__ import annotations

import argparse
import time
from typing import TypeAlias

from cmdb_server import settings
from cmdb_server.cli.commands import Told, opened

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add(sub: Subparsers) -> None:
    """The command ``webhooks``."""
    run = sub.add_parser("webhooks", help="tell webhooks of changes, until it is ended")
    run.add_argument("--once", action="store_true", help="tell what is due, and end")
    run.add_argument("--every", type=float, default=2.0, metavar="SECONDS", help="how often to look (2)")
    run.set_defaults(run=webhooks)


def webhooks(told: Told) -> None:
    from cmdb_server.jobs.webhooks import deliver

    allowed = settings.read().webhook_networks
    with opened() as store:
        while True:
            while deliver(store, allowed, time.time_ns() // 1_000_000):
                pass
            if told.once:
                return
            time.sleep(told.every)
