"""Files out of the graph and into it."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cmdb_server.cli.client import Client
from cmdb_server.cli.exits import ABSENT, REFUSED, fail

FIRST_ROWS = 20
"""So many rows of a preview are told; ``--json`` tells all."""
_DOES = {
    "create": "create a CI", "change": "change one", "meet": "meet one and change nothing", "keep": "stay as they are",
}  # fmt: skip
FORMATS = ("csv", "jsonl", "graphml")
_BY_SUFFIX = {".csv": "csv", ".json": "json", ".jsonl": "json"}
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The commands ``export`` and ``import``."""
    out = sub.add_parser("export", parents=[asked], help="selected CIs as a file")
    out.add_argument("--select", metavar="SELECTOR", help="docs/selectors.md; without it everything")
    out.add_argument("--format", choices=FORMATS, default="csv")
    out.add_argument("--to", type=Path, metavar="FILE", help="write it there instead of telling it")
    for name, help_ in (("at", "how things were then (RFC 3339)"), ("known-at", "as far as had been told by then")):
        out.add_argument(f"--{name}", metavar="TIME", help=help_)
    out.set_defaults(run=export)
    into = sub.add_parser("import", parents=[asked], help="CIs from a file: csv, json, netbox, ansible, cyclonedx")
    into.add_argument("file", type=Path)
    into.add_argument("--name", required=True, help="what this source is called: the same name again replaces it")
    into.add_argument("--format", help="csv and json follow from the file's name")
    into.add_argument("--complete", action="store_true", help="what the file no longer has, ends")
    into.add_argument(
        "--host", help="whose software a bill of materials lists: an id, a name, or kind=value, such as serial=SN1"
    )
    into.add_argument("--skip-faults", action="store_true", help="import what has no fault, and tell the others")
    into.add_argument("--dry-run", action="store_true", help="tell what it would do, and every fault, and do nothing")
    into.set_defaults(run=import_)


def export(told: argparse.Namespace) -> None:
    query = {"select": told.select, "format": told.format, "at": told.at, "known_at": told.known_at}
    with Client(told.server, told.token_ref).stream("GET", "/exports", query) as answer:
        if told.to is None:
            for piece in answer.iter_bytes():
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        part = told.to.with_name(f"{told.to.name}.part")
        try:
            with part.open("wb") as out:
                for piece in answer.iter_bytes():
                    out.write(piece)
            part.replace(told.to)
        finally:
            part.unlink(missing_ok=True)


def import_(told: argparse.Namespace) -> None:
    if not told.file.is_file():
        fail(ABSENT, f"{told.file}: no such file")
    query = {
        "name": told.name, "format": told.format or _BY_SUFFIX.get(told.file.suffix.lower(), "csv"),
        "complete": str(told.complete).lower(), "dry_run": str(told.dry_run).lower(), "host": told.host,
        "skip_faults": str(told.skip_faults).lower(),
    }  # fmt: skip
    sent = {"Content_Type": "application/octet-stream", "Accept": "application/x-ndjson"}
    with Client(told.server, told.token_ref).stream(
        "POST", "/imports", query, told.file.read_bytes(), **sent
    ) as answer:
        outcome = _followed(json.loads(line) for line in answer.iter_lines() if line)
    _tell(told, outcome)


def _tell_rows(console: Console, rows: list[dict[str, Any]]) -> None:
    """What would become of the rows: how many of each kind, and the first ones."""
    counts = Counter(row["does"] for row in rows)
    if counts:
        told = ", ".join(f"{counts[does]} would {_DOES[does]}" for does in _DOES if counts[does])
        console.print(f"of {len(rows)} rows {told}:", markup=False, highlight=False)
    for row in rows[:FIRST_ROWS]:
        by = ", ".join(f"{kind}={' '.join(values)}" for kind, values in row["by"].items())
        met = f" (by {by})" if by else ""
        values = ", ".join(f"{name} {_value(now)} -> {_value(then)}" for name, (now, then) in row["values"].items())
        named = f"{row['class']} {row['name']}" if row["ci"] else "a CI that you do not see"
        said = f"  row {row['row']}: {row['does']} {named}{met}" + (f": {values}" if values else "")
        console.print(said, markup=False, highlight=False)
    if len(rows) > FIRST_ROWS:
        console.print(f"  and {len(rows) - FIRST_ROWS} more: --json tells them all", markup=False, highlight=False)


def _value(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def _followed(lines: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """The outcome, once the progress was told on stderr: as it goes to a terminal, line by line to a file."""
    console, last = Console(stderr=True, soft_wrap=True), None
    columns = SpinnerColumn(), TextColumn("{task.description}: {task.completed} rows"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("sending", total=None)
        for last in lines:
            if "stage" in last:
                progress.update(task, description=last["stage"], completed=last["done"])
                if not console.is_terminal:
                    console.print(f"{last['stage']}: {last['done']} rows", markup=False, highlight=False)
    if last is None or "rows" not in last:
        fail(REFUSED, f"{last['title']}: {last['detail']}" if last and "title" in last else "the answer was cut off")
    return last


def _tell(told: argparse.Namespace, outcome: dict[str, Any]) -> None:
    console = Console(soft_wrap=True)
    if told.json:
        console.print_json(data=outcome, highlight=False, ensure_ascii=False)
    else:
        for fault in outcome["faults"]:
            where = f"row {fault['row']}" + (f", {fault['column']}" if fault["column"] else "")
            console.print(f"{where}: {fault['message']}", markup=False, highlight=False)
        _tell_rows(console, outcome["preview"])
        done = f"revision {outcome['revision']}" if outcome["applied"] else "nothing was changed"
        figures = ", ".join(f"{outcome[name]} {name}" for name in ("new", "changed", "unchanged", "ended"))
        console.print(f"{outcome['rows']} rows: {figures}; {done}", markup=False, highlight=False)
    if count := len(outcome["faults"]):
        left = "; what has them was left out" if outcome["applied"] else ""
        fail(REFUSED, f"{count} fault{'s' * (count > 1)}{left}")
