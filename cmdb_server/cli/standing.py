"""What stands on what: what a CI requires, which services stand on it, the way between two, and what breaks it alone."""

from __future__ import annotations

import argparse
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from cmdb_server.answers.render.media import REPORTS
from cmdb_server.cli import supposing
from cmdb_server.cli.client import Client, segment
from cmdb_server.cli.commands import Told, client_of
from cmdb_server.cli.presenting import Question, options, present
from cmdb_server.cli.render import joined, plain, table
from cmdb_server.cli.trees import path_tree, required_tree, services_tree

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Answer = dict[str, Any]


def add(sub: Subparsers, asked: argparse.ArgumentParser) -> None:
    """The commands ``requires``, ``services``, ``path`` and ``spof``."""
    supposed = supposing.options()
    for name, run, about, parents in (
        ("requires", requires, "what a CI stands on, and what cannot start from cold",
         [asked, supposed, options("table", "tree")]),
        ("services", services, "the services that stand on a CI", [asked, options("tree", "table")]),
        ("spof", single_points, "whose failure alone takes a CI down",
         [asked, supposed, options("tree", "table", written=REPORTS)]),
    ):  # fmt: skip
        one = sub.add_parser(name, parents=parents, help=about)
        one.add_argument("ci", help="id or name")
        one.add_argument("--limit", type=int, default=100)
        _times(one)
        one.set_defaults(run=run)
        if name == "spof":
            one.add_argument("--pairs", action="store_true", help="pairs that are fatal together, too")
    two = sub.add_parser(
        "path", parents=[asked, options("table", "tree")], help="how one CI's failure can reach another"
    )
    two.add_argument("from_", metavar="FROM", help="the provider: id or name")
    two.add_argument("to", metavar="TO", help="the consumer: id or name")
    _times(two)
    two.set_defaults(run=path)


def _times(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--at", metavar="TIME", help="how things were then (RFC 3339)")
    parser.add_argument("--known-at", metavar="TIME", help="as far as had been told by then")


def requires(told: Told) -> None:
    present(told, *_supposing(told, "requires"), {"table": _required, "tree": required_tree})


def services(told: Told) -> None:
    client = client_of(told)
    query = {"limit": told.limit, "at": told.at, "known_at": told.known_at}
    question = Question("GET", f"/cis/{segment(client.identify(told.ci))}/services", query)
    present(told, client, question, {"tree": services_tree, "table": _services})


def single_points(told: Told) -> None:
    question = _supposing(told, "single-points", **({"pairs": True} if told.pairs else {}))
    present(told, *question, {"tree": _single_points, "table": _points_table})


def path(told: Told) -> None:
    client = client_of(told)
    ends = {"from": client.identify(told.from_), "to": client.identify(told.to)}
    question = Question("GET", "/paths", {**ends, "at": told.at, "known_at": told.known_at})
    present(told, client, question, {"table": _path, "tree": path_tree})


def _supposing(told: Told, what: str, **more: Any) -> tuple[Client, Question]:
    client = client_of(told)
    body = {"limit": told.limit, "at": told.at, "known_at": told.known_at, "edits": supposing.edits(client, told)}
    return client, Question("POST", f"/cis/{segment(client.identify(told.ci))}/{what}", body | more)


def _required(answer: Answer) -> RenderableType:
    rows = [
        (one["hops"], one["ci"]["class"], _name(one["ci"]), "needs others first" if one["cannot_start_cold"] else "")
        for one in answer["items"]
    ]
    return Group(table(("hops", "class", "name", "cold start"), rows), _more(answer["more"], "CIs"))


def _services(answer: Answer) -> RenderableType:
    rows = [
        (one["hops"], one["ci"]["class"], _name(one["ci"]), one["criticality"], one["owner"]) for one in answer["items"]
    ]
    return Group(table(("hops", "class", "name", "criticality", "owner"), rows), _more(answer["more"], "services"))


def _single_points(answer: Answer) -> RenderableType:
    root = Tree(joined(_ci(answer["ci"]), plain(f"stands on {answer['below']} CIs", "dim")))
    alone = root.add(Text("down with any of these alone" if answer["items"] else "nothing takes it down alone", "bold"))
    for one in answer["items"]:
        alone.add(_ci(one))
    for pair in answer["pairs"] or ():
        root.add(joined(_any_of(pair, "one"), Text("together with", "bold"), _any_of(pair, "other")))
    if answer["pairs"] == []:
        root.add(Text("no pair is fatal", "green"))
    whole = "" if answer["pairs_complete"] else "not all pairs were tried"
    return Group(root, _more(answer["more"], "single points"), _more(answer["pairs_more"], "pairs"), plain(whole))


def _points_table(answer: Answer) -> RenderableType:
    rows = [(ci["class"], _name(ci), ci["id"]) for ci in answer["items"]]
    pairs = [(_any_of(pair, "one"), _any_of(pair, "other")) for pair in answer["pairs"] or ()]
    told: list[RenderableType] = [table(("class", "name", "id"), rows), _more(answer["more"], "single points")]
    if pairs:
        told += [table(("any of", "with any of"), pairs), _more(answer["pairs_more"], "pairs")]
    return Group(*told)


def _any_of(pair: Answer, side: str) -> Text:
    names = ", ".join(_name(ci) for ci in pair[side])
    return plain(f"{names} or {pair[f'{side}_more']} more" if pair[f"{side}_more"] else names)


def _path(answer: Answer) -> RenderableType:
    if not answer["steps"]:
        return Text("there is no way", "green")
    rows = [
        (joined(_ci(step["ci"])), "" if step["gate"] is None else f"{step['gate']['relation']}: {step['gate']['text']}")
        for step in answer["steps"]
    ]
    return table(("CI", "by the gate"), rows)


def _ci(ci: Answer) -> Text:
    return joined(plain(ci["class"] or "", "cyan"), plain(_name(ci), "bold"))


def _name(ci: Answer) -> str:
    return str(ci["name"] or ci["id"])


def _more(count: int, what: str) -> Text:
    return plain(f"{count} more {what} not listed" if count else "", "dim")
