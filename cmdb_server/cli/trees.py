"""What stands on what, as trees."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from cmdb_server.cli.render import joined, plain

Answer = dict[str, Any]


def services_tree(answer: Answer) -> RenderableType:
    """From the CI up to each service, along a shortest way."""
    root = Tree(_ci(answer["ci"]))
    branches = {answer["ci"]["id"]: root}
    told = {one["ci"]["id"]: _service(one) for one in answer["items"]}
    for one in answer["items"]:
        for before, step in pairwise(one["path"]):
            id_ = step["ci"]["id"]
            if id_ not in branches and before["ci"]["id"] in branches:
                branches[id_] = branches[before["ci"]["id"]].add(
                    joined(_ci(step["ci"]), told.get(id_, ""), _gate(step))
                )
    if not answer["items"]:
        root.add(Text("no service stands on it", "dim"))
    return Group(root, _more(answer["more"], "services"))


def required_tree(answer: Answer) -> RenderableType:
    """From the CI down to all it stands on. What several stand on is opened once, where it is nearest to the CI."""
    cold = {one["ci"]["id"] for one in answer["items"] if one["cannot_start_cold"]}
    cis = {ci["id"]: ci for ci in (answer["ci"], *(one["ci"] for one in answer["items"]))}
    below: dict[str, list[Answer]] = {}
    for leaning in answer["leanings"]:
        below.setdefault(leaning["consumer"], []).append(leaning)
    root = Tree(_ci(answer["ci"]))
    opened, waiting = {answer["ci"]["id"]}, [(answer["ci"]["id"], root)]
    for id_, branch in waiting:
        for leaning in below.get(id_, ()):
            provider = leaning["provider"]
            again = provider in opened
            remark = "again" if again else "needs others first" if provider in cold else ""
            made = branch.add(
                joined(_ci(cis[provider]), plain(f"({leaning['relation']}: {leaning['text']})", "dim"),
                       plain(remark, "dim" if again else "yellow"))
            )  # fmt: skip
            if not again:
                opened.add(provider)
                waiting.append((provider, made))
    return Group(root, _more(answer["more"], "CIs"))


def path_tree(answer: Answer) -> RenderableType:
    """From the provider, step by step, to the consumer."""
    if not answer["steps"]:
        return Text("there is no way", "green")
    return _chain(answer["steps"])


def _chain(steps: Iterable[Answer]) -> Tree:
    first, *rest = steps
    root = branch = Tree(_ci(first["ci"]))
    for step in rest:
        branch = branch.add(joined(_ci(step["ci"]), _gate(step)))
    return root


def _service(one: Answer) -> Text:
    return joined(plain(one["criticality"] or "", "bold"), plain(f"owner {one['owner']}" if one["owner"] else ""))


def _gate(step: Answer) -> Text:
    gate = step["gate"]
    return plain("" if gate is None else f"({gate['relation']} {gate['over']}: {gate['text']})", "dim")


def _ci(ci: Answer) -> Text:
    return joined(plain(ci["class"] or "", "cyan"), plain(str(ci["name"] or ci["id"]), "bold"))


def _more(count: int, what: str) -> Text:
    return plain(f"{count} more {what} not listed" if count else "", "dim")
