"""What else is booked or open beside what is asked about, with whom it meets, and the minutes that services have left."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from cmdb_server.cli.render import joined, plain

Answer = dict[str, Any]
PARTS = (
    ("already", "down already of what else is booked or open", "dim"),
    ("alone", "down by this alone", "red"),
    ("anyway", "down of either", "yellow"),
    ("together", "down only of both together", "red"),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what asks for the context to a question's parser."""
    parser.add_argument("--also", choices=("booked", "open", "both"), help="what else is booked, or open, then")
    parser.add_argument(
        "--during", nargs=2, metavar=("START", "END"), help="look there for what else is; END '' is none"
    )


def asked(told: argparse.Namespace) -> Answer:
    """The same as the API takes it."""
    during = {"during": {"start": told.during[0], "end": told.during[1] or None}} if told.during else {}
    return ({"also": told.also} if told.also else {}) | during


def with_context(rendered: Callable[[Answer], RenderableType]) -> Callable[[Answer], RenderableType]:
    """The same answer with the minutes left of its services and its context below, where it has any."""

    def both(answer: Answer) -> RenderableType:
        told = [rendered(answer), *map(_left, answer.get("services", ()))]
        context = answer.get("context")
        return Group(*told, *([] if context is None else [_tree(context)]))

    return both


def _left(service: Answer) -> Text:
    """How many minutes the service may still be down, before and after what is asked about."""
    level = service["level"]
    if level is None:
        return Text("", end="")
    after = "" if level["minutes_left_after"] is None else f", {level['minutes_left_after']:g} after this"
    left = f"{level['minutes_left']:g} of {level['minutes']:g} minutes left until {level['end']}{after}"
    return joined(plain(_name(service["affected"]["ci"]), "bold"), plain(left))


def _tree(context: Answer) -> RenderableType:
    root = Tree(Text("what else is booked or open", "bold"))
    if not context["others"]:
        root.add(Text("nothing", "green"))
        return root
    for one in context["others"]:
        effect = plain("degraded" if one["degraded"] else "down", "dim")
        spans = ", ".join(f"{span['start']} to {span['end'] or 'an unknown end'}" for span in one["spans"])
        names = ", ".join(_name(ci) for ci in one["cis"])
        root.add(joined(plain(one["number"], "bold"), plain(one["summary"]), effect, plain(names), plain(spans, "dim")))
    for part, words, style in PARTS:
        count = context["counts"][part]
        if count:
            listed = ", ".join(_name(ci) for ci in context[part])
            hidden = count - len(context[part])
            root.add(joined(plain(f"{words}:", style), plain(listed), plain(f"and {hidden} more" if hidden else "")))
    for one in context["meeting_points"]:
        root.add(_meeting(one))
    return root


def _meeting(one: Answer) -> Text:
    group = "all of" if one["minimal_group"] and len(one["with"]) > 1 else "any of" if len(one["with"]) > 1 else ""
    others = "others may exist" if one["others_may_exist"] else ""
    told = one["gate"]
    gate = f"({told['relation']} {told['over']}: {told['text']})" if told else "(by its ways in the network)"
    return joined(
        plain(_name(one["ci"]), "bold"), Text("meets", "red"), plain(group), plain(", ".join(one["with"])), plain(gate),
        plain(others, "dim"),
    )  # fmt: skip


def _name(ci: Answer) -> str:
    return str(ci["name"] or ci["id"])
