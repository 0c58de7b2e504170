"""What a question on the command line supposes to be otherwise: CIs that are not there, relations, gates."""

from __future__ import annotations

import argparse
import json
from typing import Any

from cmdb_server.cli.client import Client
from cmdb_server.cli.exits import USAGE, fail

ENDS = ("FROM", "RELATION", "TO")


def options() -> argparse.ArgumentParser:
    """A parent parser of the options."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("what if", "nothing is written; each may be repeated")
    group.add_argument("--remove", action="append", default=[], metavar="CI", help="it and its parts are not there")
    group.add_argument("--relate", action="append", default=[], nargs=3, metavar=ENDS, help="as in: a depends_on b")
    group.add_argument("--unrelate", action="append", default=[], nargs=3, metavar=ENDS, help="that relation is gone")
    group.add_argument(
        "--gate", action="append", default=[], nargs=2, metavar=("CI", "GATE"),
        help='such as {"kind": "at_least", "k": 2}, or by relation type; null takes its own away',
    )  # fmt: skip
    return parser


def edits(client: Client, told: argparse.Namespace) -> list[dict[str, Any]]:
    """The edits as the API takes them."""
    found: list[dict[str, Any]] = [{"edit": "remove", "ci": client.identify(ci)} for ci in told.remove]
    for edit in ("unrelate", "relate"):
        for from_, relation, to in getattr(told, edit):
            ends = {"from": client.identify(from_), "to": client.identify(to)}
            found.append({"edit": edit, "relation": relation, **ends})
    for ci, gate in told.gate:
        found.append({"edit": "gate", "ci": client.identify(ci), "gate": _gate(gate)})
    return found


def _gate(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        fail(USAGE, f"--gate: {text!r} is not JSON: {error}")
