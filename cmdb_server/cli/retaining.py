"""Drops the past before a horizon, in the store itself."""

from __future__ import annotations

import argparse
import getpass
import sys
import time
import uuid
from dataclasses import asdict, replace
from typing import Any, TypeAlias

import msgspec
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from cmdb_server import settings
from cmdb_server.cli.commands import Told, opened, tell
from cmdb_server.cli.exits import USAGE, fail
from cmdb_server.cli.render import joined, plain, table
from cmdb_server.model.instants import parse, rfc3339

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
DAY_MS = 86_400_000


def add(sub: Subparsers) -> None:
    """The command ``retention``."""
    run = sub.add_parser("retention", help="drop the past before a horizon; the present stays as it is")
    until = run.add_mutually_exclusive_group(required=True)
    until.add_argument("--days", type=int, metavar="N", help="keep the past of so many days")
    until.add_argument("--before", metavar="TIME", help="drop what is before (RFC 3339)")
    how = run.add_mutually_exclusive_group(required=True)
    how.add_argument("--dry-run", action="store_true", help="only tell what would go")
    how.add_argument("--apply", action="store_true", help="drop it; if ended, run it again")
    run.add_argument("--json", action="store_true")
    run.set_defaults(run=retention)


def retention(told: Told) -> None:
    from cmdb_server.app import kinds_of
    from cmdb_server.practices.audit import Act, Witnessed, complete
    from cmdb_server.practices.retention import retain

    given, now = settings.read(), time.time_ns() // 1_000_000
    try:
        asked = parse(told.before) if told.before else now - told.days * DAY_MS
    except ValueError as error:
        fail(USAGE, f"--before {told.before}: {error}")
    bars = Progress(
        TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )  # fmt: skip
    who, before = getpass.getuser(), rfc3339(asked)
    # The store itself is at hand: no token says who it is, so the user of the machine does.
    act = Act(str(uuid.uuid4()), now, who, "admin", "retention.drop", before, 0, {"before": before}, "")
    with opened() as store, bars:
        done = retain(
            Witnessed(store, lambda: act), kinds_of(given), asked, given.sample_days, who, now_ms=now,
            apply=told.apply, progress=_Bars(bars).show,
        )  # fmt: skip
        if done.applied:
            went = {"horizon": rfc3339(done.horizon.at), "dropped": sum(done.dropped.values())}
            complete(store, replace(act, detail={**act.detail, **went}))
    answer: dict[str, Any] = msgspec.to_builtins(asdict(done))
    answer["horizon"]["at"] = rfc3339(done.horizon.at)
    tell(told, answer, _outcome)


class _Bars:
    """One bar a step."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def show(self, step: str, done: int, of: int) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=of)
        self._bars.update(self._tasks[step], completed=done, total=of)


def _outcome(answer: dict[str, Any]) -> RenderableType:
    cut = answer["horizon"]
    went = "went" if answer["applied"] else "would go"
    head = joined(plain(f"The past before {cut['at']} {went};", "bold"), f"the feed begins after {cut['feed']}")
    held = [plain(f"held back by {one}", "yellow") for one in cut["held_by"]]
    whole = f"{answer['whole']} groups of scopes keep all of their reports" if answer["whole"] else ""
    rows = ((name, str(count)) for name, count in sorted(answer["dropped"].items()) if count)
    return Group(head, *held, table(("table", f"rows that {went}"), rows), plain(whole, "dim"))
