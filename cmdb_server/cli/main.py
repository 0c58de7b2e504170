"""The command line: what can be asked, and what is done about it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from rich.console import Console

from cmdb_server.cli import (
    administering,
    changing,
    commands,
    comparing,
    deciding,
    entering,
    exchange,
    exits,
    explaining,
    in_context,
    kept,
    notifying,
    outages,
    past,
    presenting,
    proving,
    render,
    retaining,
    samples,
    scheduling,
    standing,
    supposing,
)
from cmdb_server.cli.exits import CommandError
from cmdb_server.errors import CmdbError

DEFAULT_SERVER = "http://127.0.0.1:8460"
DEFAULT_TOKEN = "env:CMDB_TOKEN"  # noqa: S105  a reference, not a token


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    told = parser().parse_args(arguments)
    try:
        told.run(told)
    except CommandError as error:
        return _end(error.code, str(error))
    except CmdbError as error:
        return _end(exits.USAGE if error.slug == "settings" else exits.REFUSED, f"{error.title}: {error.detail}")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a file that is told of and cannot be read or written
        return _end(exits.USAGE, f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        return 130
    return exits.OK


def _end(code: int, message: str) -> int:
    Console(stderr=True, soft_wrap=True).print(f"cmdb: {message}", markup=False, highlight=False)
    return code


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    codes = "; ".join(f"{code} {meaning}" for code, meaning in exits.MEANING.items())
    root = argparse.ArgumentParser("cmdb", description="A configuration management database.", epilog=f"Exit: {codes}.")
    root.set_defaults(run=lambda _: root.print_help())
    sub = root.add_subparsers(title="commands", metavar="COMMAND")
    _serving(sub)
    _keeping(sub)
    asked = _asking()
    _tokens(sub, asked)
    _questions(sub, asked)
    explaining.add(sub, asked, _times())
    entering.add(sub, asked)
    exchange.add(sub, asked)
    past.add(sub, asked)
    samples.add(sub, asked)
    standing.add(sub, asked)
    scheduling.add(sub, asked)
    comparing.add(sub, asked)
    outages.add(sub, asked)
    deciding.add(sub, asked)
    administering.add(sub, asked)
    kept.add(sub, asked)
    changing.add(sub, asked)
    notifying.add(sub, asked)
    retaining.add(sub)
    return root


Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _asking() -> argparse.ArgumentParser:
    """Options of every command that asks a server."""
    asked = argparse.ArgumentParser(add_help=False)
    asked.add_argument(
        "--server", default=os.environ.get("CMDB_SERVER") or DEFAULT_SERVER, help=f"CMDB_SERVER, else {DEFAULT_SERVER}"
    )
    asked.add_argument(
        "--token-ref", default=DEFAULT_TOKEN, metavar="REF", help="env:NAME or file:/path; CMDB_TOKEN holds the token"
    )
    asked.add_argument("--json", action="store_true", help="the server's answer as it is")
    return asked


def _times() -> argparse.ArgumentParser:
    times = argparse.ArgumentParser(add_help=False)
    times.add_argument("--at", metavar="TIME", help="how things were then (RFC 3339)")
    times.add_argument("--known-at", metavar="TIME", help="as far as had been told by then")
    return times


def _serving(sub: Subparsers) -> None:
    serve = sub.add_parser("serve", help="serve the API; settings are CMDB_* (docs/api.md)")
    serve.add_argument("--bind", metavar="HOST:PORT", help="CMDB_BIND, else 127.0.0.1:8460; port 0 is any free one")
    serve.add_argument("--address-file", type=Path, metavar="FILE", help="write the address here once it is served")
    serve.add_argument("--dev", action="store_true", help="one process, no gunicorn")
    serve.set_defaults(run=commands.serve)


def _keeping(sub: Subparsers) -> None:
    dump = sub.add_parser("dump", help="write the whole store to a file, engine-independent")
    dump.add_argument("file", type=Path)
    dump.add_argument("--tokens", action="store_true", help="tokens and enrolment codes too (hashed)")
    dump.set_defaults(run=commands.dump)
    load = sub.add_parser("load", help="fill an empty store from a dump")
    load.add_argument("file", type=Path)
    load.set_defaults(run=commands.load)


def _tokens(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    token = sub.add_parser("token", help="tokens of people and systems")
    token.set_defaults(run=lambda _: token.print_help())
    kinds = token.add_subparsers(metavar="ACTION")
    create = kinds.add_parser("create", parents=[asked], help="make a token; it is told once")
    create.add_argument("subject")
    create.add_argument("--role", required=True, choices=("admin", "operator", "approver", "reader"))
    create.add_argument("--days", type=int, default=365, help="until it expires (365)")
    create.add_argument("--sees", metavar="SELECTOR", help="the CIs it may see, by a selector; left out: all")
    create.set_defaults(run=commands.token_create)
    listing = kinds.add_parser("list", parents=[asked], help="all tokens, without their secrets")
    listing.set_defaults(run=commands.token_list)
    revoke = kinds.add_parser("revoke", parents=[asked], help="end a token now")
    revoke.add_argument("id", help="its id or prefix")
    revoke.set_defaults(run=commands.token_revoke)
    first = kinds.add_parser("bootstrap", help="make the first admin token, in the store itself")
    first.add_argument("--subject", default="admin")
    first.add_argument("--days", type=int, default=365)
    first.add_argument("--to", type=Path, metavar="FILE", help="write it there (mode 600) instead of telling it")
    first.set_defaults(run=commands.token_bootstrap)
    code = sub.add_parser("enrol-code", parents=[asked], help="make a one-time code that buys an agent's token")
    code.add_argument("agent")
    for name in ("site", "source", "network"):
        code.add_argument(f"--{name}", action="append", default=[], help="granted; may be repeated; none: any")
    code.add_argument("--minutes", type=int, default=60, help="until it expires (60)")
    code.set_defaults(run=commands.enrol_code)


def _questions(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    times = _times()
    impact = sub.add_parser(
        "impact", parents=[asked, times, supposing.options(), presenting.options("tree", "table")],
        help="what breaks if these fail together",
    )  # fmt: skip
    impact.add_argument("ci", nargs="+", help="id or name")
    impact.add_argument("--not-impacted", action="append", default=[], metavar="CI", help="held to stay up")
    impact.add_argument("--depth", type=int, help="list only so many hops (all are computed)")
    in_context.options(impact)
    impact.set_defaults(run=commands.impact)
    proving.add(sub, asked, times)
    show = sub.add_parser("show", parents=[asked, times], help="one CI with its components and relations")
    show.add_argument("ci", help="id or name")
    show.add_argument("--all", action="store_true", help=f"all of a kind, not the first {render.LEAVES}")
    show.set_defaults(run=commands.show)
    search = sub.add_parser("search", parents=[asked, times], help="CIs by any text that belongs to them")
    search.add_argument("text")
    search.add_argument("--limit", type=int, default=50)
    search.set_defaults(run=commands.search)
    listing = sub.add_parser("list", parents=[asked, times], help="CIs that fit all filters")
    for name in ("class", "name", "site", "life"):
        listing.add_argument(f"--{name}", dest=f"{name}_")
    listing.add_argument("--select", metavar="SELECTOR", help="such as 'class == \"server\"' (docs/selectors.md)")
    listing.add_argument("--attribute", action="append", default=[], metavar="NAME=VALUE")
    listing.add_argument("--limit", type=int, default=1000)
    listing.set_defaults(run=commands.list_cis)
