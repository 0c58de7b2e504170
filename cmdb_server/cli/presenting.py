"""How an answer is wanted: shown as a table or a tree, as it is, or as a report or a drawing that the server writes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rich.console import Console, RenderableType

from cmdb_schemas.visible import visible
from cmdb_server.answers.render.media import FORMATS, MEDIA
from cmdb_server.cli.client import Client

WIDE = 200
"""Columns of output that goes to a file or a pipe."""
Views = Mapping[str, Callable[[Any], RenderableType]]


@dataclass(frozen=True, slots=True)
class Question:
    """A request below the API's prefix. ``told``: its query; with the method POST, its body."""

    method: str
    path: str
    told: dict[str, Any]

    def ask(self, client: Client, **more: str) -> Any:
        """The JSON answer."""
        given = self.told | more
        return client.ask(self.method, self.path, *((None, given) if self.method == "POST" else (given,)))

    def text(self, client: Client, **more: str) -> str:
        """The answer as it came."""
        given = self.told | more
        query, body = ({}, json.dumps(given).encode()) if self.method == "POST" else (given, None)
        with client.stream(self.method, self.path, query, body, Content_Type="application/json") as answer:
            return answer.read().decode()


def options(*views: str, written: tuple[str, ...] = FORMATS) -> argparse.ArgumentParser:
    """A parent parser of the options; the first of ``views`` is what is shown unless something else is wanted."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--format", choices=(*views, "json", *written), default=views[0], help=f"({views[0]})")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it there instead of telling it")
    return parser


def present(told: argparse.Namespace, client: Client, question: Question, views: Views) -> None:
    """Ask, and show or write the answer as the command line wants it."""
    format_ = "json" if told.json else told.format
    with _written(told.output) as out:
        if format_ in MEDIA:
            text = question.text(client, format=format_)
            out.write(_harmless(text) if out.isatty() else text)
            return
        answer = question.ask(client)
        console = Console(file=out)
        if not console.is_terminal:
            console.width = WIDE
        if format_ == "json":
            console.print_json(data=answer, highlight=False, ensure_ascii=False)
        else:
            console.print(views[format_](answer))


@contextmanager
def _written(path: Path | None) -> Iterator[IO[str]]:
    """Where the answer goes. A file is there whole or not at all."""
    if path is None:
        yield sys.stdout
        return
    with whole(path) as part, part.open("w", encoding="utf-8") as out:
        yield out


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write what is to be at ``path`` whole, or not at all."""
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _harmless(text: str) -> str:
    """For a terminal: a file may hold what steers it, such as names in GraphML."""
    return "\n".join(visible(line) for line in text.split("\n"))
