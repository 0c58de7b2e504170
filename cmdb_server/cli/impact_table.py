"""What breaks, one line for each CI."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from cmdb_server.cli.render import STATE, joined, plain, table

Answer = dict[str, Any]


def impact_table(answer: Answer) -> RenderableType:
    """Services first, then CIs, then those that lose redundancy, each with the last gate on the way to it."""
    rows = [_row(one["affected"], one["criticality"], one["owner"]) for one in answer["services"]]
    rows += [_row(one, None, None) for one in answer["cis"]]
    rows += [
        (plain("holds", "yellow"), lost["ci"]["class"], lost["ci"]["name"] or lost["ci"]["id"], None, None, None,
         _gate(lost["gate"]))
        for lost in answer["redundancy_lost"]
    ]  # fmt: skip
    columns = ("state", "class", "name", "criticality", "owner", "hops", "by the gate")
    more = [f"{count} more {kind.replace('_', ' ')}" for kind, count in answer["more"].items() if count]
    return Group(table(columns, rows), joined(plain(", ".join(more) + " not listed" if more else "", "dim")))


def _row(one: Answer, criticality: Any, owner: Any) -> tuple[Any, ...]:
    ci, last = one["ci"], one["path"][-1]
    why = "no path to a gateway is left" if last["cut_off"] else _gate(last["gate"]) if last["gate"] else ""
    state = plain(one["state"], STATE[one["state"]])
    return state, ci["class"], ci["name"] or ci["id"], criticality, owner, str(one["hops"]), why


def _gate(gate: Answer) -> str:
    return f"{gate['relation']} {gate['over']}: {gate['text']}"
