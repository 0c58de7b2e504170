"""What is measured of a CI: the newest values, and their course as a line and a table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.text import Text

from cmdb_server.cli.client import segment
from cmdb_server.cli.commands import Told, client_of, tell
from cmdb_server.cli.render import joined, measure, plain, table

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
BARS = "▁▂▃▄▅▆▇█"
ROWS = 24
"""Points in a table; the line above it shows them all."""


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The command ``samples``."""
    of = sub.add_parser("samples", parents=[asked], help="what is measured of a CI, and its course")
    of.add_argument("ci", help="id or name")
    of.add_argument("name", nargs="?", help="such as system.memory.usage; left out: the newest of all")
    of.add_argument("--from", dest="from_", metavar="TIME", help="RFC 3339; left out: a day ago")
    of.add_argument("--to", metavar="TIME", help="left out: now")
    of.add_argument("--resolution", choices=("raw", "5min", "1h", "1d"), help="left out: what suits")
    of.add_argument("--source", help="left out: the one that told of it last")
    of.set_defaults(run=samples)


def samples(told: Told) -> None:
    client = client_of(told)
    path = f"/cis/{segment(client.identify(told.ci))}/samples"
    if told.name is None:
        tell(told, client.get(path), lambda answer: newest(answer["items"]))
        return
    query = {"from": told.from_, "to": told.to, "resolution": told.resolution, "source": told.source}
    tell(told, client.get(f"{path}/{segment(told.name)}", **query), _series)


def newest(items: list[dict[str, Any]]) -> RenderableType:
    """The newest values."""
    return table(
        ("measured", "of", "value", "at", "source"),
        ((one["name"], one["component_name"], measure(one["value"], one["unit"]), one["at"], one["source"])
         for one in items),
    )  # fmt: skip


def _series(answer: dict[str, Any]) -> RenderableType:
    points, unit = answer["points"], answer["unit"]
    rated = answer["kind"] == "counter"
    head = joined(plain(answer["name"], "bold"), plain(f"{answer['source']}, {answer['resolution']}", "dim"))
    if not points:
        return Group(head, Text("nothing was told in this time", "dim"))
    line = sparkline([one["rate"] if rated else one["mean"] for one in points])
    shown = points[-ROWS:]
    rows = (
        (one["at"], str(one["count"]), *(measure(one[column], unit) for column in ("min", "mean", "max", "last")),
         "" if one["rate"] is None else joined(measure(one["rate"], unit), "/s")) for one in shown
    )  # fmt: skip
    more = f"{len(points) - len(shown)} earlier points not listed: --json has them" if len(points) > len(shown) else ""
    return Group(
        head, Text(line), table(("at", "samples", "min", "mean", "max", "last", "rate"), rows), plain(more, "dim")
    )


def sparkline(values: Sequence[float | None]) -> str:
    """A line of bars from the least value to the greatest; a gap where nothing is known."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) / 2 - min(known) / 2
    return "".join(" " if value is None else BARS[_height(value, low, span)] for value in values)


def _height(value: float, low: float, span: float) -> int:
    """``span``: half of the range, so that it never overflows."""
    return min(int((value / 2 - low / 2) / span * len(BARS)), len(BARS) - 1) if span > 0 else 0
