"""What people enter of CIs: created, edited, retired. Discovery's word stays beside theirs, and precedence decides."""

from __future__ import annotations

import argparse
from typing import Any, TypeAlias

from cmdb_server.cli import render
from cmdb_server.cli.attribute_values import attribute_values
from cmdb_server.cli.client import Client, segment
from cmdb_server.cli.commands import Told, client_of, tell
from cmdb_server.cli.exits import REFUSED, USAGE, fail

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The commands ``create`` and ``edit``; ``cmdb decide delete`` retires."""
    said = argparse.ArgumentParser(add_help=False)
    said.add_argument(
        "--set", action="append", default=[], metavar="ATTRIBUTE=VALUE",
        help="by its type in the class: texts as they stand, numbers, booleans, lists and objects as JSON",
    )  # fmt: skip
    said.add_argument(
        "--relate", action="append", default=[], metavar="TYPE=CI",
        help="id or name; TYPE or its reverse name; may be repeated: these are all that people relate it to",
    )  # fmt: skip
    create = sub.add_parser("create", parents=[asked, said], help="enter a CI by hand")
    create.add_argument("class_", metavar="class")
    create.add_argument("name")
    create.set_defaults(run=created)
    edit = sub.add_parser("edit", parents=[asked, said], help="change what people say of a CI")
    edit.add_argument("ci", help="id or name")
    edit.add_argument("--name", help="another one")
    edit.add_argument("--unset", action="append", default=[], metavar="ATTRIBUTE", help="take people's word back")
    edit.add_argument("--unrelate", action="store_true", help="take back all that people related it to")
    edit.add_argument("--revision", type=int, help="of the CI that is meant; it is not edited if it changed since")
    edit.set_defaults(run=edited)


def created(told: Told) -> None:
    client = client_of(told)
    body = {"class": told.class_, "name": told.name, "attributes": attribute_values(client, told.class_, told.set)}
    body["relations"] = _relations(client, told.relate)
    tell(told, client.ask("POST", "/cis", body=body), render.ci_tree)


def edited(told: Told) -> None:
    client = client_of(told)
    path = f"/cis/{segment(client.identify(told.ci))}"
    present, tag = client.tagged(path)
    if told.revision not in (None, present["revision"]):
        fail(REFUSED, f"{told.ci} is at revision {present['revision']}, not {told.revision}")
    said = attribute_values(client, present["class"], told.set)
    body: dict[str, Any] = {"attributes": said | dict.fromkeys(told.unset)}
    if told.name is not None:
        body["name"] = told.name
    if told.relate or told.unrelate:
        body["relations"] = _relations(client, told.relate)
    tell(told, client.ask("PATCH", path, body=body, tag=tag), render.ci_tree)


def _relations(client: Client, texts: list[str]) -> list[dict[str, Any]]:
    known = client.get("/relation-types") if texts else []
    reverse = {one["reverse"]: one["name"] for one in known}
    found = []
    for text in texts:
        type_, _, ci = text.partition("=")
        if not ci:
            fail(USAGE, f"--relate {text}: write TYPE=CI")
        name = reverse.get(type_, type_)
        found.append({"type": name, "reverse": type_ in reverse, "ci": client.identify(ci)})
    return found
