"""What people decide about identity and values: reviews answered, decisions made, tried and undone."""

from __future__ import annotations

import argparse
from typing import Any, TypeAlias

from rich.console import RenderableType
from rich.tree import Tree

from cmdb_server.cli.attribute_values import attribute_value
from cmdb_server.cli.client import Client, segment
from cmdb_server.cli.commands import Told, client_of, tell
from cmdb_server.cli.exits import REFUSED, fail
from cmdb_server.cli.render import LEAVES, joined, plain, table

MOVES = "record moves"
_BOTH = {"accept": "if accepted:", "refuse": "if refused:"}
ANSWERS = {"review": _BOTH, "replaces": _BOTH, "distrusted": {"accept": _BOTH["accept"]}}
"""Kind of task -> its answers."""
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The commands ``review`` and ``decide``."""
    _reviews(sub, asked)
    decide = sub.add_parser("decide", help="merge, split, distrust, pin, delete; undo; who decided what")
    decide.set_defaults(run=lambda _: decide.print_help())
    verbs = decide.add_subparsers(metavar="VERB")
    why = argparse.ArgumentParser(add_help=False)
    why.add_argument("--reason", default="", help="kept in the history; needed unless --dry-run")
    why.add_argument("--dry-run", action="store_true", help="tell what it would change, and decide nothing")
    for verb, help_ in (("merge", "two CIs or records are one"), ("split", "two records are two")):
        both = verbs.add_parser(verb, parents=[asked, why], help=help_)
        both.add_argument("one", help="id, or a CI's name")
        both.add_argument("other")
        both.set_defaults(run=decided, verb=verb)
    distrust = verbs.add_parser("distrust", parents=[asked, why], help="a value says nothing about identity")
    distrust.add_argument("kind", help="serial, uuid, mac, machine_id, ssh_host_key, name, ...")
    distrust.add_argument("value")
    distrust.set_defaults(run=decided, verb="distrust")
    pin = verbs.add_parser("pin", parents=[asked, why], help="a CI's attribute has this value, whoever says what")
    pin.add_argument("one", help="id or name")
    pin.add_argument("attribute")
    pin.add_argument("pinned", help="by the attribute's type: a text as it stands, else JSON")
    pin.set_defaults(run=decided, verb="pin")
    delete = verbs.add_parser("delete", parents=[asked, why], help="hide a CI until it is seen again")
    delete.add_argument("one", help="id or name")
    delete.add_argument("--hold-back", action="store_true", help="until this is undone, even when it is seen again")
    delete.set_defaults(run=decided, verb="tombstone")
    for one in (pin, delete):
        one.add_argument("--revision", type=int, help="of the CI that is meant; nothing is decided if it changed since")
    undo = verbs.add_parser("undo", parents=[asked], help="take a decision back")
    undo.add_argument("id")
    undo.add_argument("--reason", required=True)
    undo.set_defaults(run=undone)
    gone = verbs.add_parser("deleted", parents=[asked], help="what people deleted, and was seen of it since")
    gone.set_defaults(run=deleted)
    listing = verbs.add_parser("list", parents=[asked], help="all decisions, newest first")
    listing.add_argument("--limit", type=int, default=100)
    listing.set_defaults(run=decisions)


def _reviews(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    review = sub.add_parser("review", help="what waits for a person")
    review.set_defaults(run=lambda _: review.print_help())
    actions = review.add_subparsers(metavar="ACTION")
    listing = actions.add_parser("list", parents=[asked], help="the open tasks, oldest first")
    listing.add_argument("--limit", type=int, default=1000)
    listing.set_defaults(run=tasks)
    show = actions.add_parser("show", parents=[asked], help="one task with its evidence")
    show.add_argument("id")
    show.set_defaults(run=task)
    for answer, help_ in (("accept", "it is as proposed"), ("refuse", "it is not")):
        said = actions.add_parser(answer, parents=[asked], help=help_)
        said.add_argument("id")
        said.add_argument("--reason", default="", help="kept in the history; needed unless --dry-run")
        said.add_argument("--dry-run", action="store_true", help="tell what it would change, and decide nothing")
        said.set_defaults(run=answered, answer=answer)


def deleted(told: Told) -> None:
    tell(told, client_of(told).get("/tombstones"), _deleted)


def _deleted(items: list[dict[str, Any]]) -> RenderableType:
    rows = (
        (
            one["at"], one["ci"], "until undone" if one["hold_back"] else "until seen",
            ", ".join(f"{seen['source']} {seen['last']}" for seen in one["sightings"]), one["decision"],
        )
        for one in items
    )  # fmt: skip
    return table(("at", "ci", "hidden", "seen since", "decision"), rows)


def tasks(told: Told) -> None:
    tell(told, client_of(told).every("/reviews", told.limit), _tasks)


def _tasks(items: list[dict[str, Any]]) -> RenderableType:
    return table(("kind", "task", "id"), ((one["kind"], one["title"], one["id"]) for one in items))


def task(told: Told) -> None:
    client, path = client_of(told), f"/reviews/{segment(told.id)}"
    tell(told, client.get(path), lambda one: _answers(_task(one), client, path, one["kind"]))


def _answers(tree: Tree, client: Client, path: str, kind: str) -> RenderableType:
    """The task with what each of its answers would change."""
    for answer, title in ANSWERS.get(kind, {}).items():
        branch = tree.add(plain(title, "bold"))
        told = client.get(f"{path}/effect", answer=answer)["words"]
        cis = [one["text"] for one in told if one["what"] != MOVES] or ["nothing changes"]
        for text in cis[:LEAVES]:
            branch.add(plain(text))
        if len(cis) > LEAVES:
            branch.add(plain(f"and {len(cis) - LEAVES} more CIs: review {answer} --dry-run tells them", "dim"))
    return tree


def _task(told: dict[str, Any]) -> Tree:
    root = Tree(joined(plain(told["title"], "bold"), plain(told["id"], "dim")))
    for side in told["sides"]:
        where = f"told by {side['source']} {side['target']}, record {side['record']}"
        branch = root.add(joined(plain(f"{side['class']} {side['name'] or side['ci']}"), plain(where, "dim")))
        for kind, values in side["identifiers"].items():
            branch.add(joined(plain(kind + ":", "dim"), plain(", ".join(values))))
    for one in told["evidence"]:
        ours, theirs = (", ".join(one[side]) for side in ("ours", "theirs"))
        style = "green" if one["points"] > 0 else "red"
        root.add(joined(plain(f"{one['points']:+g}", style), plain(f"{one['kind']}: {ours} / {theirs}")))
    return root


def answered(told: Told) -> None:
    client, path = client_of(told), f"/reviews/{segment(told.id)}"
    if told.dry_run:
        tell(told, client.get(f"{path}/effect", answer=told.answer), _effect)
    else:
        tell(told, client.ask("POST", path, body={"answer": told.answer, "reason": told.reason}), _decision)


def decided(told: Told) -> None:
    client = client_of(told)
    body = {"verb": told.verb, **_body(client, told)}
    if told.dry_run:
        tell(told, client.ask("POST", "/decisions/effect", body=body), _effect)
    else:
        tag = None if getattr(told, "revision", None) is None else _tag(client, body["sides"][0][0], told.revision)
        tell(told, client.ask("POST", "/decisions", body={**body, "reason": told.reason}, tag=tag), _decision)


def _tag(client: Client, ci: str, revision: int) -> str:
    """The entity tag of a CI that is at that revision. Ends the command for any other."""
    present, tag = client.tagged(f"/cis/{segment(ci)}")
    if present["revision"] != revision:
        fail(REFUSED, f"{ci} is at revision {present['revision']}, not {revision}")
    return tag


def _body(client: Client, told: Told) -> dict[str, Any]:
    if told.verb == "distrust":
        return {"value": [told.kind, told.value]}
    if told.verb in ("merge", "split"):
        return {"sides": [[client.identify(told.one)], [client.identify(told.other)]]}
    sides = [[client.identify(told.one)]]
    if told.verb == "pin":
        return {"sides": sides, "attribute": told.attribute, "pinned": _pinned(client, sides[0][0], told)}
    return {"sides": sides, "hold_back": told.hold_back}


def _pinned(client: Client, ci: str, told: Told) -> Any:
    """By the attribute's type, where the CI is one that there is: a record's id stands for one, too."""
    known = client.find(f"/cis/{segment(ci)}")
    return attribute_value(client, known["class"] if known else "", told.attribute, told.pinned)


def undone(told: Told) -> None:
    path = f"/decisions/{segment(told.id)}/undo"
    tell(told, client_of(told).ask("POST", path, body={"reason": told.reason}), _decision)


def decisions(told: Told) -> None:
    tell(told, client_of(told).every("/decisions", told.limit), _decisions)


def _decision(one: dict[str, Any]) -> RenderableType:
    return _decisions([one])


def _decisions(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("at", "verb", "by", "why", "holds", "id"),
        ((one["at"], one["verb"], one["by"], one["reason"], "yes" if one["in_effect"] else "undone", one["id"])
         for one in items),
    )  # fmt: skip


def _effect(told: dict[str, Any]) -> RenderableType:
    return table(("what", "becomes of it", "id"), ((one["what"], one["text"], one["id"]) for one in told["words"]))
