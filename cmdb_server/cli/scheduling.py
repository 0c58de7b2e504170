"""What is booked, open or in force: the forward schedule."""

from __future__ import annotations

import argparse
from typing import Any, TypeAlias

from rich.console import Group, RenderableType

from cmdb_server.answers.render.media import CALENDARS, REPORTS
from cmdb_server.cli.commands import Told, client_of
from cmdb_server.cli.presenting import Question, options, present
from cmdb_server.cli.render import STATE, joined, plain, table

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Answer = dict[str, Any]


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The command ``schedule``."""
    shown = options("table", written=(*REPORTS, *CALENDARS))
    one = sub.add_parser("schedule", parents=[asked, shown], help="changes, outages and freezes to come")
    one.add_argument("--from", dest="from_", metavar="TIME", help="RFC 3339; left out: now")
    one.add_argument("--to", metavar="TIME", help="left out: 30 days later")
    one.add_argument("--service", metavar="CI", help="what touches anything that it stands on: id or name")
    one.add_argument("--owner", help="what touches a service of this owner")
    one.add_argument(
        "--kind", action="append", choices=("change", "outage", "freeze"), help="only these; may be repeated"
    )
    one.add_argument("--limit", type=int, default=100)
    one.set_defaults(run=schedule)


def schedule(told: Told) -> None:
    client = client_of(told)
    service = None if told.service is None else client.identify(told.service)
    query = {
        "from": told.from_, "to": told.to, "service": service, "owner": told.owner, "kind": told.kind,
        "limit": told.limit,
    }  # fmt: skip
    present(told, client, Question("GET", "/schedule", query), {"table": _schedule})


def _schedule(answer: Answer) -> RenderableType:
    columns = ("from", "to", "number", "kind", "state", "what", "services")
    rows = [
        (*_first(one["spans"]), one["number"], one["kind"], one["state"], one["summary"], _services(one))
        for one in answer["items"]
    ]
    more = f"{answer['more']} more things not listed" if answer["more"] else ""
    return Group(table(columns, rows), plain(more, "dim"))


def _first(spans: list[Answer]) -> tuple[str, str]:
    """The first time, and that there are others."""
    first, *others = spans
    again = f" and {len(others)} times more" if others else ""
    return first["start"], (first["end"] or "not known yet") + again


def _services(one: Answer) -> Any:
    told = [plain(f"{service['ci']['name'] or service['ci']['id']} {service['state']}", STATE[service["state"]])
            for service in one["services"]]  # fmt: skip
    return joined(*told, plain(f"and {one['more']['services']} more" if one["more"]["services"] else ""))
