"""Declared outages: these CIs are down, whatever was observed, from then until it is ended."""

from __future__ import annotations

import argparse
from typing import Any, TypeAlias

from rich.console import RenderableType

from cmdb_server.cli.client import segment
from cmdb_server.cli.commands import Told, client_of, tell
from cmdb_server.cli.render import table

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
OUTAGES = "/kept/outage"


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The command ``outage``."""
    outage = sub.add_parser("outage", help="outages declared on CIs")
    outage.set_defaults(run=lambda _: outage.print_help())
    actions = outage.add_subparsers(metavar="ACTION")
    new = actions.add_parser("declare", parents=[asked], help="these CIs are down")
    new.add_argument("ci", nargs="+", help="id or name")
    new.add_argument("--since", metavar="TIME", help="RFC 3339; left out: now")
    new.add_argument("--summary")
    new.set_defaults(run=declare)
    over = actions.add_parser("end", parents=[asked], help="they are up again")
    over.add_argument("number")
    over.add_argument("--at", metavar="TIME", help="since when; left out: now")
    over.add_argument("--note", default="", help="kept in the history")
    over.set_defaults(run=end)
    listing = actions.add_parser("list", parents=[asked], help="open ones; all with --all")
    listing.add_argument("--all", action="store_true")
    listing.add_argument("--ci", help="on this CI: id or name")
    listing.add_argument("--limit", type=int, default=1000)
    listing.set_defaults(run=every)


def declare(told: Told) -> None:
    client = client_of(told)
    said = {"started_at": told.since, "summary": told.summary}
    body = {name: value for name, value in said.items() if value is not None}
    cis = {"down": [client.identify(ci) for ci in told.ci]}
    tell(told, client.ask("POST", OUTAGES, body={"body": body, "cis": cis}), _one)


def end(told: Told) -> None:
    body = {"transition": "end", "note": told.note, "body": {"ended_at": told.at} if told.at else {}}
    place = f"{OUTAGES}/{segment(told.number)}/transitions"
    tell(told, client_of(told).ask("POST", place, body=body), _one)


def every(told: Told) -> None:
    client = client_of(told)
    query = {"state": None if told.all else "open", "ci": told.ci and client.identify(told.ci)}
    tell(told, client.every(OUTAGES, told.limit, **query), _listed)


def _one(outage: dict[str, Any]) -> RenderableType:
    return _listed([outage])


def _listed(outages: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("number", "state", "since", "until", "declared by", "summary", "CIs"),
        ((one["number"], one["state"], one["body"].get("started_at"), one["body"].get("ended_at"), one["subject"],
          one["body"].get("summary"), ", ".join(one["cis"].get("down", ()))) for one in outages),
    )  # fmt: skip
