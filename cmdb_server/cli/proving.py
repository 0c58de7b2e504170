"""What proves an answer, as a file, and whether such a file holds. A file called ``….zip`` has columns, of any size."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import RenderableType
from rich.tree import Tree

from cmdb_server.cli import presenting, supposing
from cmdb_server.cli.client import Client
from cmdb_server.cli.commands import Told, client_of, tell
from cmdb_server.cli.exits import REFUSED, USAGE, fail
from cmdb_server.cli.presenting import Question, present
from cmdb_server.cli.render import STATE, joined, plain

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Answer = dict[str, Any]
SHOWN = 50
PATH, ZIP = "/impact/proof", b"PK"


def add(sub: Subparsers, asked: argparse.ArgumentParser, times: argparse.ArgumentParser) -> None:
    """The commands ``prove`` and ``check``."""
    proving = sub.add_parser(
        "prove", parents=[asked, times, supposing.options(), presenting.options("tree", written=())],
        help="what proves the answer to cmdb impact; --output keeps it for cmdb check, as FILE.zip of any size",
    )  # fmt: skip
    proving.add_argument("ci", nargs="+", help="id or name")
    proving.add_argument("--not-impacted", action="append", default=[], metavar="CI", help="held to stay up")
    proving.set_defaults(run=prove)
    checking = sub.add_parser(
        "check", parents=[asked], help="whether a proof holds; ends with 1 where it does not"
    )  # fmt: skip
    checking.add_argument("file", type=argparse.FileType("rb"), help="what cmdb prove wrote; - reads it")
    checking.set_defaults(run=check)


def prove(told: Told) -> None:
    client = client_of(told)
    body = {
        "failed": [client.identify(ci) for ci in told.ci],
        "not_impacted": [client.identify(ci) for ci in told.not_impacted],
        "at": told.at, "known_at": told.known_at, "edits": supposing.edits(client, told),
    }  # fmt: skip
    if told.output is not None and told.output.suffix == ".zip":
        _write(client, body, told.output)
        return
    told.json = told.json or told.output is not None
    present(told, client, Question("POST", PATH, body), {"tree": _proof})


def _write(client: Client, body: Answer, output: Path) -> None:
    sent = json.dumps(body).encode()
    with (
        client.stream("POST", f"{PATH}/columns", {}, sent, Content_Type="application/json") as answer,
        presenting.whole(output) as part, part.open("wb") as out,
    ):  # fmt: skip
        for piece in answer.iter_bytes():
            out.write(piece)


def _proof(answer: Answer) -> RenderableType:
    root = Tree(joined(plain(f"revision {answer['revision']}", "bold"), plain(f"{len(answer['claims'])} claims")))
    for one in answer["claims"][:SHOWN]:
        why = {"itself": "fails itself", "cut_off": "no way is left"}.get(one["why"]) or _gate(one["gate"])
        state = plain(one["state"], STATE[one["state"]])
        root.add(joined(plain(f"round {one['rank']}", "dim"), plain(one["ci"]), state, plain(why, "dim")))
    for one in answer["held"][:SHOWN]:
        lost = plain(f"holds, having lost {one['lost']}", "yellow")
        root.add(joined(plain(one["gate"]["consumer"]), plain(_gate(one["gate"]), "dim"), lost))
    more = sum(max(0, len(answer[name]) - SHOWN) for name in ("claims", "held"))
    if more:
        root.add(plain(f"{more} more: --output has them all", "dim"))
    return root


def _gate(gate: Answer) -> str:
    return f"by {gate['relation']} over {gate['over']}"


def check(told: Told) -> None:
    """Ends with 1 where it does not hold."""
    content, client = told.file.read(), client_of(told)
    if content.startswith(ZIP):
        with client.stream("POST", f"{PATH}/columns/verdict", {}, content, Content_Type="application/zip") as heard:
            answer = json.loads(heard.read())
    else:
        try:
            claimed = json.loads(content)
        except ValueError as error:
            fail(USAGE, f"{told.file.name} holds no proof: {error}")
        answer = client.ask("POST", f"{PATH}/verdict", body=claimed)
    tell(told, answer, _verdict)
    if not answer["holds"]:
        raise SystemExit(REFUSED)


def _verdict(answer: Answer) -> RenderableType:
    holds = plain("holds", "green") if answer["holds"] else plain("does not hold", "red")
    root = Tree(
        joined(
            holds, plain(f"on revision {answer['revision']}: {answer['claims']} claims, {answer['gates']} gates", "dim")
        )
    )
    for problem in answer["problems"][:SHOWN]:
        root.add(plain(problem, "red"))
    return root
