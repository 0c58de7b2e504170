"""Who is told of changes; and what servers do beside their requests, done from the store itself until it is ended."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeAlias

from rich.console import RenderableType

from cmdb_server import settings
from cmdb_server.cli.client import segment
from cmdb_server.cli.commands import Told, client_of, opened, tell
from cmdb_server.cli.render import table

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The commands ``webhooks`` and ``jobs``."""
    found = {}
    for name, run, help_ in (
        ("webhooks", webhooks, "who is told of changes; without an action: tell them, until it is ended"),
        ("jobs", jobs, "do timed jobs, until it is ended"),
    ):
        note = f"A server does this itself unless CMDB_JOBS=off; cmdb {name} works on the store of CMDB_STORE itself."
        found[name] = one = sub.add_parser(name, help=help_, description=note)
        one.add_argument("--once", action="store_true", help="do what is due, and end")
        one.add_argument("--every", type=float, default=2.0, metavar="SECONDS", help="how often to look (2)")
        one.set_defaults(run=run)
    actions = found["webhooks"].add_subparsers(metavar="ACTION")
    new = actions.add_parser("add", parents=[asked], help="tell a URL of every change from now on")
    new.add_argument("url")
    new.add_argument("--secret", required=True, metavar="REF", help="env:NAME or file:/path, as the server knows it")
    new.add_argument("--kind", action="append", default=[], help="ci, relation or kept; may be repeated; none: all")
    new.set_defaults(run=add_webhook)
    listing = actions.add_parser("list", parents=[asked], help="who is told, how far, and what fails")
    listing.set_defaults(run=list_webhooks)
    gone = actions.add_parser("remove", parents=[asked], help="tell a URL nothing any more")
    gone.add_argument("id")
    gone.set_defaults(run=remove_webhook)


def add_webhook(told: Told) -> None:
    body = {"url": told.url, "secret": told.secret, "kinds": told.kind}
    tell(told, client_of(told).ask("POST", "/webhooks", body=body), lambda one: _listed([one]))


def list_webhooks(told: Told) -> None:
    tell(told, client_of(told).get("/webhooks"), _listed)


def remove_webhook(told: Told) -> None:
    tell(told, client_of(told).ask("DELETE", f"/webhooks/{segment(told.id)}"), lambda one: _listed([one]))


def _listed(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("id", "url", "kinds", "by", "told up to revision", "failed", "why"),
        (
            (
                w["id"],
                w["url"],
                ", ".join(w["kinds"]) or "all",
                w["subject"],
                w["since"],
                w["attempts"],
                w["fault"] or "",
            )
            for w in items
        ),
    )


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
