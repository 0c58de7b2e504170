"""What people keep of their work: opened, edited, moved, listed, shown."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.tree import Tree

from cmdb_server.cli.attribute_values import read, settings
from cmdb_server.cli.client import Client, segment
from cmdb_server.cli.commands import Told, client_of, tell
from cmdb_server.cli.exits import ABSENT, REFUSED, USAGE, fail
from cmdb_server.cli.render import joined, plain, table

NAMED = 10
"""CIs that are looked up to be told by their names."""
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The command ``kept``."""
    root = sub.add_parser("kept", help="changes, outages, freezes and whatever else is kept of people's work")
    root.set_defaults(run=lambda _: root.print_help())
    actions = root.add_subparsers(metavar="ACTION")
    actions.add_parser("kinds", parents=[asked], help="what there is, with states and ways").set_defaults(run=kinds)
    listing = actions.add_parser("list", parents=[asked], help="things of a kind, by number")
    listing.add_argument("kind")
    listing.add_argument("--state", action="append", default=[], help="in this state; may be repeated")
    listing.add_argument("--ci", help="naming this CI: id or name")
    listing.add_argument("--subject", help="opened by")
    listing.add_argument("--limit", type=int, default=1000)
    listing.set_defaults(run=every)
    said = _said()
    opening = actions.add_parser("open", parents=[asked, said, _naming()], help="open one")
    opening.add_argument("kind")
    opening.set_defaults(run=open_)
    editing = actions.add_parser("edit", parents=[asked, said, _naming()], help="change fields and CIs")
    editing.add_argument("number")
    editing.add_argument("--version", type=int, help="refuse if it is no longer at this one")
    editing.set_defaults(run=edit)
    moving = actions.add_parser("move", parents=[asked, said], help="to another state, by a transition")
    moving.add_argument("number")
    moving.add_argument("transition")
    moving.set_defaults(run=move)
    for action, run, help_ in (("show", show, "one as it stands"), ("history", history, "all its versions")):
        one = actions.add_parser(action, parents=[asked], help=help_)
        one.add_argument("number")
        one.set_defaults(run=run)


def _said() -> argparse.ArgumentParser:
    said = argparse.ArgumentParser(add_help=False)
    said.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="JSON, or a text; null takes it away"
    )
    said.add_argument("--note", default="", help="kept in the history")
    return said


def _naming() -> argparse.ArgumentParser:
    naming = argparse.ArgumentParser(add_help=False)
    naming.add_argument("--ci", action="append", default=[], metavar="ROLE=CI", help="id or name; may be repeated")
    return naming


def kinds(told: Told) -> None:
    tell(told, client_of(told).get("/kept"), _kinds)


def _kinds(items: list[dict[str, Any]]) -> RenderableType:
    trees = []
    for kind in items:
        root = Tree(joined(plain(kind["name"], "bold"), plain(f"{kind['prefix']}…", "dim"), plain(kind["title"])))
        for one in kind["fields"]:
            many, needed = "list of " if one["many"] else "", ", needed" if one["required"] else ""
            root.add(joined(plain(one["name"], "cyan"), plain(f"{many}{one['type']}{needed}: {one['title']}", "dim")))
        for one in kind["cis"]:
            root.add(joined(plain(f"CIs {one['name']}", "cyan"), plain(one["title"], "dim")))
        for one in kind["transitions"]:
            way = f"{', '.join(one['from'])} -> {one['to']}"
            root.add(joined(plain(one["name"], "green"), plain(way), plain(f"by {', '.join(one['who'])}", "dim")))
        trees.append(root)
    return Group(*trees)


def every(told: Told) -> None:
    client = client_of(told)
    query = {"state": told.state or None, "subject": told.subject, "ci": told.ci and client.identify(told.ci)}
    tell(told, client.every(f"/kept/{segment(told.kind)}", told.limit, **query), _listed)


def _listed(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("number", "state", "summary", "opened by", "changed"),
        ((one["number"], one["state"], _summary(one["body"]), one["subject"], one["changed_at"])
         for one in items),
    )  # fmt: skip


def _summary(body: dict[str, Any]) -> str:
    """What it is called; what has no name tells of what it is, and whose."""
    told = body.get("summary") or body.get("change") or ""
    return f"{told} for {body['approver']}" if body.get("approver") else str(told)


def open_(told: Told) -> None:
    client = client_of(told)
    tell(told, client.ask("POST", f"/kept/{segment(told.kind)}", body=_content(client, told)), _shown(client))


def edit(told: Told) -> None:
    client = client_of(told)
    place = _place(client, told.number)
    present, tag = client.tagged(place)
    if told.version not in (None, present["version"]):
        fail(REFUSED, f"{told.number} is at version {present['version']}, not {told.version}")
    tell(told, client.ask("PATCH", place, body=_content(client, told), tag=tag), _shown(client))


def move(told: Told) -> None:
    client = client_of(told)
    body = {"transition": told.transition, "body": values(told.set), "note": told.note}
    tell(told, client.ask("POST", f"{_place(client, told.number)}/transitions", body=body), _shown(client))


def show(told: Told) -> None:
    client = client_of(told)
    tell(told, client.get(_place(client, told.number)), _shown(client))


def _shown(client: Client) -> Callable[[dict[str, Any]], RenderableType]:
    """A thing with the names of its CIs."""

    def thing(one: dict[str, Any]) -> RenderableType:
        return _thing(one, names(client, (id_ for ids in one["cis"].values() for id_ in ids)))

    return thing


def names(client: Client, ids: Iterable[str], most: int = NAMED) -> dict[str, str]:
    """By id, name and class of the first CIs, up to ``most``; who is no more, or is not seen, is told by id."""

    def named(id_: str) -> str:
        found = client.find(f"/cis/{segment(id_)}")
        return id_ if found is None else f"{found['name'] or id_} ({found['class']})"

    return {id_: named(id_) for id_ in list(dict.fromkeys(ids))[:most]}


def _thing(one: dict[str, Any], names: dict[str, str]) -> RenderableType:
    root = Tree(
        joined(plain(one["number"], "bold"), plain(one["state"], "green"), plain(f"version {one['version']}", "dim"))
    )
    for name, value in one["body"].items():
        root.add(joined(plain(name + ":", "dim"), plain(value)))
    for role, ids in one["cis"].items():
        root.add(joined(plain(role + ":", "dim"), plain(", ".join(names.get(id_, id_) for id_ in ids))))
    root.add(joined(plain("opened by", "dim"), plain(one["subject"]), plain(one["created_at"], "dim")))
    if one["possible"]:
        root.add(joined(plain("possible:", "dim"), plain(", ".join(one["possible"]))))
    return root


def history(told: Told) -> None:
    client = client_of(told)
    tell(told, client.get(f"{_place(client, told.number)}/history"), _versions)


def _versions(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("version", "at", "transition", "state", "by", "note"),
        ((str(one["version"]), one["at"], one["transition"], one["state"], one["subject"], one["note"])
         for one in items),
    )  # fmt: skip


def _place(client: Client, number: str) -> str:
    """Where a thing is: its number's prefix tells its kind."""
    prefix = number.rstrip("0123456789")
    kind = next((one["name"] for one in client.get("/kept") if one["prefix"] == prefix), None)
    if kind is None:
        fail(ABSENT, f"no kind has numbers that begin with {prefix!r}")
    return f"/kept/{segment(kind)}/{segment(number)}"


def _content(client: Client, told: Told) -> dict[str, Any]:
    cis: dict[str, list[str]] = {}
    for text in told.ci:
        role, _, ci = text.partition("=")
        if not ci:
            fail(USAGE, f"--ci {text}: write ROLE=CI")
        cis.setdefault(role, []).append(client.identify(ci))
    return {"body": values(told.set), "cis": cis, "note": told.note}


def values(texts: list[str]) -> dict[str, Any]:
    """``FIELD=VALUE`` -> field -> value."""
    return {name: read(None, value) for name, value in settings(texts, "FIELD")}
