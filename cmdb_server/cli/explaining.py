"""Why a CI is there and says what it says, and why it has a relation or has not."""

from __future__ import annotations

import argparse
from typing import Any, TypeAlias

from rich.console import RenderableType
from rich.text import Text
from rich.tree import Tree

from cmdb_server.cli.client import segment
from cmdb_server.cli.commands import Told, client_of, tell, times
from cmdb_server.cli.exits import USAGE, fail
from cmdb_server.cli.render import joined, named, plain

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
WHY = {
    "claimed": "it is claimed",
    "class": "it follows from the class of what is part of it",
    "application": "only the host is told to have it, and an application on it is known to",
    "port": "it is told of a device only, and the link between ports that it means is known",
    "ended": "what claimed it does so no more",
    "elsewhere": "what could mean it is held to mean another, or could mean several",
    "unclaimed": "nobody ever told of it",
}


def add(sub: Subparsers, asked: argparse.ArgumentParser, then: argparse.ArgumentParser) -> None:
    """The command ``explain``."""
    explain = sub.add_parser("explain", parents=[asked, then], help="why a CI is there and says what it says")
    explain.add_argument("ci", help="id or name")
    explain.add_argument("relation", nargs="*", metavar="TYPE CI", help="why it has this relation, or has not")
    explain.add_argument("--attribute")
    explain.set_defaults(run=explained)


def explained(told: Told) -> None:
    client = client_of(told)
    if told.relation and (len(told.relation) != 2 or told.attribute is not None):
        fail(USAGE, "explain CI, explain CI --attribute NAME, or explain CI TYPE CI")
    ci = client.identify(told.ci)
    if told.relation:
        type_, to = told.relation
        query = {"from": ci, "type": type_, "to": client.identify(to), **times(told)}
        answer = client.get("/relations/explain", **query)
        tell(told, answer, relation)
        return
    tell(told, client.get(f"/cis/{segment(ci)}/explain", attribute=told.attribute, **times(told)), explanation)


def explanation(told: dict[str, Any]) -> RenderableType:
    """Each attribute with the winner, why, and every losing value; then the evidence between records."""
    root = Tree(joined(named(told), plain(told["ci"], "dim")))
    for one in told["attributes"]:
        branch = root.add(joined(plain(one["name"] + ":", "dim"), plain(one["value"], "bold"), f"({one['why']})"))
        if one["winner"]:
            branch.add(joined(Text("from", "green"), _word(one["winner"])))
        for loser in one["losers"]:
            branch.add(joined(Text("not", "dim"), plain(loser["value"]), _word(loser)))
    if not told["attributes"]:
        root.add(plain("no source says anything of it", "dim"))
    for tie in told["ties"]:
        branch = root.add(
            joined(
                Text("one thing:", "bold"),
                plain(" = ".join(tie["records"])),
                f"by {tie['how']}, score {tie['score']:g}",
            )
        )
        for term in tie["terms"]:
            branch.add(plain(", ".join(f"{name} {value}" for name, value in term.items() if value is not None)))
    for one in told["decisions"]:
        undone = "" if one["in_effect"] else " (undone)"
        root.add(
            joined(
                Text("decided:", "bold"),
                plain(one["verb"] + undone),
                f"by {one['by']}, {one['at']}:",
                plain(one["reason"]),
            )
        )
    return root


def _word(word: dict[str, Any]) -> Text:
    section = f" ({word['section']})" if word["section"] else ""
    return plain(
        f"{word['source']}{section} by {word['agent']}, since {word['since']}, confirmed {word['confirmed']}", "dim"
    )


def relation(told: dict[str, Any]) -> RenderableType:
    """Whether a relation is there and why; its claims, then those that mean another or nobody."""
    head = Text("there is", "green") if told["stands"] else Text("there is no", "red")
    root = Tree(joined(head, plain(told["type"], "bold"), f"between them: {WHY[told['why']]}"))
    for title, claims in (("claimed by", told["claims"]), ("meant for another or nobody:", told["others"])):
        for claim in claims:
            _claim(root.add(joined(Text(title, "bold"), plain(claim["source"]), f"by {claim['agent']}")), claim)
    return root


def _claim(branch: Tree, claim: dict[str, Any]) -> None:
    branch.add(joined(plain(claim["far"]), Text("is", "dim"), plain(claim["to"] or "not known", "bold")))
    until = f"until {claim['ended']}" if claim["ended"] else f"last {claim['last']}"
    counts = "" if claim["counts"] else "; it does not count"
    branch.add(plain(f"since {claim['first']}, {until}, confidence {claim['confidence']:g}{counts}", "dim"))
    if claim["evidence"]:
        branch.add(plain(claim["evidence"], "dim"))
    for one in claim["bearers"]:
        mark = Text("held then by", "green") if one["chosen"] else Text("and at another time by", "dim")
        branch.add(joined(mark, named(one), plain(f"{one['since']} to {one['until']}", "dim")))
