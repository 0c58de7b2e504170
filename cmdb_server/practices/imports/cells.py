"""A cell of a table as an attribute's value."""

from __future__ import annotations

import json
import re
from typing import Any

from cmdb_schemas.ci_class import Attribute

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
_QUANTITY = re.compile(r"(-?\d+(?:\.\d+)?)\s*(\S*)", re.ASCII)
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe stands before what would begin one."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def plain(cell: str) -> str:
    """The cell without that apostrophe."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def value_of(attribute: Attribute, cell: str) -> Any:
    """The value that a text stands for; the text itself where it stands for none, for the check to refuse."""
    if attribute.many:
        items = _json(cell) if cell.startswith("[") else [part.strip() for part in cell.split(";") if part.strip()]
        return [_one(attribute, item) if isinstance(item, str) else item for item in items] if items else cell
    return _one(attribute, cell)


def _one(attribute: Attribute, cell: str) -> Any:
    if attribute.type in ("integer", "number"):
        return _number(cell, whole=attribute.type == "integer")
    if attribute.type == "boolean":
        return _TRUTHS.get(cell.lower(), cell)
    if attribute.type == "quantity" and (match := _QUANTITY.fullmatch(cell)):
        return {"value": _number(match[1], whole=False), "unit": match[2] or attribute.unit}
    return (_json(cell) or cell) if attribute.type in ("quantity", "money", "gate") else cell


def _number(cell: str, *, whole: bool) -> Any:
    try:
        found = float(cell)
    except ValueError:
        return cell
    is_whole = abs(found) < 2**53 and found == found // 1
    return int(found) if is_whole else cell if whole else found


def _json(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None
