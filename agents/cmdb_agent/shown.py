"""A report for people: a tree of what was observed and how completely."""

from __future__ import annotations

from collections import defaultdict

import msgspec
from rich import markup
from rich.tree import Tree

from cmdb_schemas.report import Component, Content, Observation, Report
from cmdb_schemas.visible import visible

_AT_MOST = 20
_COLOURS = {"complete": "green", "partial": "yellow", "unsupported": "dim"}


def escape(text: str) -> str:
    """What hosts said, as harmless text: nothing in it steers the terminal or is read as markup."""
    return markup.escape(visible(text))


def report_tree(report: Report) -> Tree:
    """Observation, its attributes and components by class, coverage and errors; long lists are cut and counted."""
    content = msgspec.json.decode(report.content, type=Content)
    tree = Tree(f"[bold]{escape(report.scope.target)}[/] by {escape(report.source)}, {report.observed_at}")
    for observation in content.observations:
        _add_observation(tree, observation)
    coverage = tree.add("coverage")
    for one in content.coverage:
        colour = _COLOURS.get(one.status, "red")
        coverage.add(f"{escape(one.section)} [{colour}]{one.status}[/] {escape(one.detail)}")
    for error in report.errors:
        tree.add(f"[red]{escape(error.kind)}[/] {escape(error.section or '')} {escape(error.message)}")
    return tree


def _add_observation(tree: Tree, observation: Observation) -> None:
    branch = tree.add(f"[bold]{escape(observation.class_)}[/] {escape(str(observation.attributes.get('name', '')))}")
    for kind, values in observation.identifiers.items():
        branch.add(f"[cyan]{escape(kind)}[/] {escape(', '.join(values))}")
    for name, value in observation.attributes.items():
        branch.add(f"{escape(name)} = {escape(_shown(value))}")
    by_class: defaultdict[str, list[Component]] = defaultdict(list)
    for component in observation.components:
        by_class[component.class_].append(component)
    for class_, components in sorted(by_class.items()):
        _add_cut(branch.add(f"{escape(class_)} ({len(components)})"), [one.local_key for one in components])
    relations = [
        f"{one.from_.ref or '.'} {one.type} {one.to.ref or one.to.key or one.to.name or one.to.address or '?'}"
        + (f":{one.to.port}" if one.to.port else "")
        for one in observation.relations
    ]
    _add_cut(branch.add(f"relations ({len(relations)})"), relations)


def _add_cut(branch: Tree, lines: list[str]) -> None:
    for line in lines[:_AT_MOST]:
        branch.add(escape(line))
    if len(lines) > _AT_MOST:
        branch.add(f"[dim]and {len(lines) - _AT_MOST} more[/]")


def _shown(value: object) -> str:
    if isinstance(value, dict) and {"value", "unit"} <= value.keys():
        return f"{value['value']} {value['unit']}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
