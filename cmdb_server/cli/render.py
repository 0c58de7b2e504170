"""Answers of the API as tables and trees. What hosts said is data: it is never read as markup, and control characters
that could steer a terminal are made visible."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from cmdb_schemas.visible import visible

LIFE = {"current": "green", "ageing": "yellow", "missing": "red", "retired": "dim"}
STATE = {"up": "green", "degraded": "yellow", "down": "bold red"}


def plain(value: Any, style: str = "") -> Text:
    """A value as harmless text."""
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Text(visible(told), style=style)


def joined(*parts: Text | str) -> Text:
    """Parts with spaces between; empty ones are left out."""
    return Text(" ").join([part if isinstance(part, Text) else Text(part) for part in parts if part])


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Table:
    """A table whose cells are data."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else plain("" if cell is None else cell) for cell in row))
    return made


def named(ci: dict[str, Any]) -> Text:
    """A CI in one line: class, name, life where it is not current."""
    life = ci.get("life", "current")
    return joined(
        plain(ci["class"], "cyan"), plain(ci["name"], "bold"), "" if life == "current" else plain(life, LIFE[life])
    )


def cis(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("class", "name", "life", "site", "last seen", "id"),
        (
            (ci["class"], ci["name"], plain(ci["life"], LIFE[ci["life"]]), ci["site"], ci["last_discovered"], ci["id"])
            for ci in items
        ),
    )


def hits(answer: dict[str, Any]) -> RenderableType:
    return table(
        ("class", "name", "found in", "life", "id"),
        (
            (hit["ci"]["class"], hit["ci"]["name"], hit["matched"], hit["ci"]["life"], hit["ci"]["id"])
            for hit in answer["items"]
        ),
    )


LEAVES = 10
"""How many of one kind a tree shows unless all are asked for."""


def ci_tree(ci: dict[str, Any], whole: bool = False) -> RenderableType:
    """A CI with its attributes, components by class, relations by label, and who saw it. Relations to its own
    components are not told twice. ``whole``: every one of them, however many."""
    root = Tree(joined(named(ci), plain(ci["id"], "dim")))
    for name, value in sorted(ci["attributes"].items()):
        root.add(joined(plain(name + ":", "dim"), quantity(value)))
    parts = ((one["class"], joined(plain(one["name"]), _brief(one))) for one in ci["components"])
    _branch(root, "components", parts, whole=whole)
    own = {one["id"] for one in ci["components"]}
    relations = (one for one in ci["relations"] if one["other"] not in own)
    _branch(root, "relations", ((one["label"], _far(one)) for one in relations), whole=whole)
    _branch(
        root, "open ends", ((one["type"], joined(plain(one["far"]), plain(one["evidence"]))) for one in ci["open_ends"])
    )
    measured = ((one["component_name"] or "itself", _measured(one)) for one in ci["samples"])
    _branch(root, "measured", measured, whole=whole)
    _branch(root, "seen by", ((one["source"], _sighting(one)) for one in ci["sources"]))
    return root


def _measured(sample: dict[str, Any]) -> Text:
    value, at = measure(sample["value"], sample["unit"]), plain(sample["at"], "dim")
    return joined(plain(sample["name"] + ":", "dim"), value, at)


def _branch(root: Tree, title: str, leaves: Iterable[tuple[str, Text]], whole: bool = True) -> None:
    groups: dict[str, list[Text]] = {}
    for group, leaf in leaves:
        groups.setdefault(group, []).append(leaf)
    branch = root.add(Text(title, "bold")) if groups else root
    for group, some in groups.items():
        named_group = branch.add(joined(plain(group, "cyan"), f"({len(some)})" if len(some) > 1 else ""))
        shown = some if whole or len(some) <= LEAVES + 1 else some[:LEAVES]
        for leaf in shown:
            named_group.add(leaf)
        if len(shown) < len(some):
            named_group.add(Text(f"and {len(some) - len(shown)} more: --all shows them", "dim"))


_BINARY = ("By", "KiB", "MiB", "GiB", "TiB", "PiB")


def quantity(value: Any) -> Text:
    """A quantity with its unit, as ``measure`` tells it; anything else as it is."""
    if not (isinstance(value, dict) and value.keys() == {"value", "unit"} and isinstance(value["value"], int | float)):
        return plain(value)
    return measure(value["value"], value["unit"])


def measure(number: float, unit: str) -> Text:
    """A number with its unit, bytes in the largest unit that leaves a whole part."""
    if unit == "By":
        step = 0
        while abs(number) >= 1024 and step < len(_BINARY) - 1:
            number, step = number / 1024, step + 1
        unit = _BINARY[step]
    return plain(f"{number:.4g} {unit if unit != '1' else ''}".strip())


def _brief(ci: dict[str, Any]) -> Text:
    """The attributes that tell components of one class apart."""
    shown = [
        ci["attributes"][name] for name in ("product", "version", "ip_addresses", "listens") if name in ci["attributes"]
    ]
    return joined(*(plain(", ".join(map(str, one)) if isinstance(one, list) else one, "dim") for one in shown))


def _far(relation: dict[str, Any]) -> Text:
    doubt = "" if relation["confidence"] == 1 else f"({relation['confidence']:.0%} sure)"
    name = relation["other"] if relation["other_name"] is None else relation["other_name"]
    return joined(plain(relation["other_class"] or "", "dim"), plain(name), doubt)


def _sighting(source: dict[str, Any]) -> Text:
    until = source["ended_at"] or source["last"]
    return joined(
        plain(source["target"]), plain(f"at {source['site']} by {source['agent']}, {source['first']} to {until}", "dim")
    )


def tokens(items: list[dict[str, Any]]) -> RenderableType:
    return table(
        ("prefix", "subject", "role", "sees", "expires", "revoked", "id"),
        (
            (t["prefix"], t["subject"], t["role"], t["sees"] or "all", t["expires_at"], t["revoked_at"], t["id"])
            for t in items
        ),
    )


def minted(token: dict[str, Any]) -> RenderableType:
    until = plain(f"for {token['subject']} ({token['role']}) until {token['expires_at']}")
    sees = [plain(f"sees {token['sees']}")] if token["sees"] else []
    return Group(plain(token["token"], "bold"), until, *sees)


def revoked(token: dict[str, Any]) -> RenderableType:
    return plain(f"{token['prefix']} of {token['subject']} is revoked since {token['revoked_at']}")


def code(told: dict[str, Any]) -> RenderableType:
    return Group(plain(told["code"], "bold"), plain(f"buys one token until {told['expires_at']}"))


def impact(answer: dict[str, Any]) -> RenderableType:
    """What fails, affected services, CIs by state with path and gate arithmetic, and the redundancy that is lost."""
    root = Tree(
        joined(
            Text("if", "dim"),
            *_commas(answer["failed"]),
            Text("fails" if len(answer["failed"]) == 1 else "fail", "dim"),
        )
    )
    for service in answer["services"]:
        owner = f"owner {service['owner']}" if service["owner"] else ""
        _affected(root, service["affected"], joined(plain(service["criticality"] or ""), plain(owner)))
    for one in answer["cis"]:
        _affected(root, one, Text())
    for lost in answer["redundancy_lost"]:
        branch = root.add(joined(_ci(lost["ci"]), Text("redundancy lost", "yellow"), plain(f"({_gate(lost['gate'])})")))
        if lost["holding"]:
            branch.add(joined(Text("held by", "dim"), *_commas(lost["holding"])))
    for one in answer.get("second_path_lost", ()):
        root.add(joined(_ci(one), Text("second path lost", "yellow")))
    for one in answer.get("partitioned", ()):
        root.add(joined(_ci(one["consumer"]), Text("no way left to", "yellow"), _ci(one["provider"])))
    for one in answer.get("gateway_unknown", ()):
        root.add(joined(_ci(one), Text("may be cut off: gateway unknown", "yellow")))
    hidden = [f"{count} more {kind.replace('_', ' ')}" for kind, count in answer["more"].items() if count]
    if hidden:
        root.add(plain(", ".join(hidden) + " not listed", "dim"))
    if not root.children:
        root.add(Text("nothing else breaks", "green"))
    return Group(root, plain(_summary(answer), "dim"))


def _affected(root: Tree, one: dict[str, Any], more: Text) -> None:
    branch = root.add(joined(_ci(one["ci"]), plain(one["state"], STATE[one["state"]]), more))
    for step in one["path"]:
        alone = "no path to a gateway is left" if step.get("cut_off") else "fails itself"
        why = Text(alone, "dim") if step["gate"] is None else plain(_gate(step["gate"]))
        branch.add(joined(_ci(step["ci"]), plain(step["state"], STATE[step["state"]]), why))


def _gate(gate: dict[str, Any]) -> str:
    return f"{gate['relation']} {gate['over']}: {gate['text']}"


def _ci(ci: dict[str, Any]) -> Text:
    return joined(plain(ci["class"] or "", "cyan"), plain(ci["name"] or ci["id"], "bold"))


def _commas(cis: list[dict[str, Any]]) -> list[Text]:
    return [_ci(ci) + ("," if place < len(cis) - 1 else "") for place, ci in enumerate(cis)]


def _summary(answer: dict[str, Any]) -> str:
    states = ", ".join(f"{count} {state}" for state, count in sorted(answer["counts"]["by_state"].items()))
    return f"revision {answer['revision']}: {states or 'none affected'}"
