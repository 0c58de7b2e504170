"""Several answers to one question: today against last week, with and without edits, from when to when."""

from __future__ import annotations

import argparse
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.text import Text

from cmdb_server.answers.render.media import REPORTS
from cmdb_server.cli import supposing
from cmdb_server.cli.commands import Told, client_of
from cmdb_server.cli.presenting import Question, options, present
from cmdb_server.cli.render import plain, table

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Answer = dict[str, Any]
TIMES = ("before_at", "before_known_at", "after_at", "after_known_at")


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The commands ``compare`` and ``intervals``."""
    shown = options("table", written=REPORTS)
    two = sub.add_parser(
        "compare", parents=[asked, supposing.options(), shown],
        help="what breaks now against then, or with edits against without",
    )  # fmt: skip
    two.add_argument("ci", nargs="+", help="id or name; fail together in both")
    for name in TIMES:
        two.add_argument(f"--{name.replace('_', '-')}", metavar="TIME", help="left out: now")
    two.add_argument("--not-impacted", action="append", default=[], metavar="CI", help="held to stay up")
    two.add_argument("--limit", type=int, default=100)
    two.set_defaults(run=compare)
    over = sub.add_parser(
        "intervals", parents=[asked, shown], help="what breaks from when to when, while failures come and go"
    )
    over.add_argument("start", metavar="START", help="of the time asked about, RFC 3339")
    over.add_argument("end", metavar="END", help="of the time asked about; '' is none")
    over.add_argument(
        "--down", action="append", default=[], nargs=3, metavar=("CI", "START", "END"), help="repeat; END '' is none"
    )
    over.add_argument(
        "--also", choices=("none", "booked", "open", "both"), default="none", help="what else fails then (none)"
    )
    over.add_argument("--limit", type=int, default=100)
    over.set_defaults(run=intervals)


def compare(told: Told) -> None:
    """The edits are those of the side after."""
    client = client_of(told)
    sides: dict[str, Answer] = {"before": {}, "after": {"edits": supposing.edits(client, told)}}
    for name in TIMES:
        side, time = name.split("_", 1)
        sides[side][time] = getattr(told, name)
    body = {
        "failed": [client.identify(ci) for ci in told.ci],
        "not_impacted": [client.identify(ci) for ci in told.not_impacted],
        "limit": told.limit,
        **sides,
    }
    present(told, client, Question("POST", "/impact/compare", body), {"table": _comparison})


def intervals(told: Told) -> None:
    client = client_of(told)
    failures = [{"cis": [client.identify(ci)], "spans": [_span(start, end)]} for ci, start, end in told.down]
    body = {**_span(told.start, told.end), "failures": failures, "limit": told.limit, "also": told.also}
    present(told, client, Question("POST", "/impact/intervals", body), {"table": _intervals})


def _span(start: str, end: str) -> dict[str, str | None]:
    return {"start": start, "end": end or None}


def _intervals(answer: Answer) -> RenderableType:
    rows = [
        (*_times(one["affected"]), one["criticality"], one["owner"], _left(one["level"])) for one in answer["services"]
    ]
    rows += [(*_times(one), "", "", "") for one in answer["cis"]]
    hidden = ", ".join(f"{count} more {kind}" for kind, count in answer["more"].items() if count)
    columns = ("class", "name", "down", "degraded", "minutes down", "criticality", "owner", "minutes left")
    return Group(
        table(columns, rows) if rows else Text("nothing else breaks", "green"),
        plain(f"{hidden} not listed" if hidden else "", "dim"),
    )


def _left(level: Answer | None) -> str:
    """Of the minutes that a service may be down: before and after."""
    if level is None:
        return ""
    return f"{level['minutes_left']:g} -> {level['minutes_left_after']:g} of {level['minutes']:g}"


def _times(one: Answer) -> tuple[Any, ...]:
    spans = (
        "\n".join(f"{span['start']} to {span['end'] or 'ever'}" for span in one[state])
        for state in ("down", "degraded")
    )
    minutes = "no end" if one["down_ms"] is None else f"{one['down_ms'] / 60_000:g}"
    return (one["ci"]["class"], _name(one["ci"]), *spans, minutes)


def _comparison(answer: Answer) -> RenderableType:
    rows = [(*_changed(one["changed"]), one["criticality"], one["owner"]) for one in answer["services"]]
    rows += [(*_changed(one), "", "") for one in answer["cis"]]
    if not rows and not answer["gates"]:
        return Text("no difference", "green")
    gates = [
        (_name(one["ci"]), _over(one), *("none" if side is None else side["text"] for side in (one["before"], one["after"])))
        for one in answer["gates"]
    ]  # fmt: skip
    hidden = ", ".join(f"{count} more {kind}" for kind, count in answer["more"].items() if count)
    return Group(
        table(("change", "class", "name", "before", "after", "criticality", "owner"), rows),
        table(("CI", "gate", "before", "after"), gates),
        plain(f"{hidden} not listed" if hidden else "", "dim"),
    )


def _changed(one: Answer) -> tuple[Any, ...]:
    states = (state or "not there" for state in (one["before"], one["after"]))
    return (one["change"], one["ci"]["class"], _name(one["ci"]), *states)


def _over(one: Answer) -> str:
    gate = one["after"] or one["before"]
    return f"{gate['relation']} {gate['over']}"


def _name(ci: Answer) -> str:
    return str(ci["name"] or ci["id"])
