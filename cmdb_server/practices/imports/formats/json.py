"""JSON: a list of objects, an object with the list ``items``, or one object a line, as the export writes them.

Each has ``class`` and ``name``, and may have ``key``, ``parent``, ``attributes`` and ``relations``
(``{"type", "to", "reverse", "group", "weight"}``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cmdb_server.practices.imports.entry import Entry, Fault, Link, Options

TITLE = "Objects with class, name, attributes and relations"
MEDIA = "application/json"


def read(text: str, options: Options) -> Iterator[Entry | Fault]:
    """One entry an object, counted from 1."""
    del options
    try:
        told = _objects(text)
    except (ValueError, RecursionError) as error:
        yield Fault(0, "", f"not JSON: {error}")
        return
    for row, one in enumerate(told, 1):
        yield _entry(row, one)


def _objects(text: str) -> list[Any]:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        if "\n" not in text.strip() or error.msg != "Extra data":
            raise
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(whole, dict):
        items = whole.get("items", [whole])
        return items if isinstance(items, list) else [items]
    return whole if isinstance(whole, list) else [whole]


def _entry(row: int, one: Any) -> Entry | Fault:
    if not isinstance(one, dict):
        return Fault(row, "", "must be an object")
    attributes, relations = one.get("attributes") or {}, one.get("relations") or []
    texts: dict[str, Any] = {part: one.get(part) or "" for part in ("class", "name", "key", "parent", "id")}
    for name, value in texts.items():
        if not isinstance(value, str):
            return Fault(row, name, "must be a text")
    if not isinstance(attributes, dict) or not isinstance(relations, list):
        return Fault(row, "attributes", "attributes are an object, relations a list")
    links = []
    for at, told in enumerate(relations):
        if not isinstance(told, dict) or not all(isinstance(told.get(name), str) for name in ("type", "to")):
            return Fault(row, f"relations[{at}]", 'must be {"type": "...", "to": "..."}')
        group, weight = told.get("group"), told.get("weight") or 1
        if not isinstance(group, str | None) or not isinstance(weight, int):
            return Fault(row, f"relations[{at}]", "group is a text, weight a whole number")
        links.append(Link(told["type"], told["to"], told.get("reverse") is True, group, weight))
    told_of = {**attributes, **({"name": texts["name"]} if texts["name"] else {})}
    key = texts["key"] or (f"{texts['parent']}/" if texts["parent"] else "") + f"{texts['class']}:{texts['name']}"
    return Entry(row, texts["class"], key, told_of, {}, tuple(links), texts["parent"], texts["id"])
