"""Tables: the columns ``class`` and ``name``, then attributes and relations by their names (RFC 4180), separated by
commas, or by the semicolons or tabs of some spreadsheets.

A relation's column is named after its type or the type's reverse, with ``rel:`` before it where an attribute has that
name too; its cells name one or several others, separated by semicolons. What an export adds about a CI is left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from cmdb_schemas.relations import relation_types
from cmdb_server.practices.imports.cells import plain, value_of
from cmdb_server.practices.imports.entry import Entry, Fault, Link, Options

TITLE = "A table with the columns class, name, attributes and relations"
MEDIA = "text/csv"
SEPARATORS = (",", ";", "\t")
KEYS = ("class", "name", "key", "parent", "id")
EXPORTED = ("life", "site", "first_discovered", "last_discovered")


def read(text: str, options: Options) -> Iterator[Entry | Fault]:
    """One entry a row; the first row after the header is row 2, as a spreadsheet counts."""
    table = text.removeprefix("\ufeff")
    head = table.partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    rows = csv.reader(io.StringIO(table, newline=""), delimiter=separator, strict=True)
    row = 0
    try:
        header = [plain(cell.strip()) for cell in next(rows, [])]
        faults = list(_header_faults(header, options))
        yield from faults
        row = 1
        for row, cells in enumerate(rows, 2):
            if not faults and any(cell.strip() for cell in cells):
                yield _entry(row, header, cells, options)
    except csv.Error as error:
        yield Fault(row + 1, "", f"not CSV: {error}")


def _header_faults(header: list[str], options: Options) -> Iterator[Fault]:
    for needed in ("class", "name"):
        if needed not in header:
            yield Fault(1, needed, "there is no such column")
    names = {name for class_ in options.kinds.values() for name in class_.attributes}
    for column in header:
        if header.count(column) > 1:
            yield Fault(1, column, "two columns of this name")
        elif column not in (*KEYS, *EXPORTED) and column not in names and _way(column) is None:
            yield Fault(1, column, "neither an attribute nor a relation has this name")


def _entry(row: int, header: list[str], cells: list[str], options: Options) -> Entry | Fault:
    if len(cells) > len(header):
        return Fault(row, "", f"{len(cells)} cells below {len(header)} columns")
    told = {column: plain(cell.strip()) for column, cell in zip(header, cells, strict=False) if cell.strip()}
    class_ = options.kinds.get(told.get("class", ""))
    attributes: dict[str, Any] = {}
    links: list[Link] = []
    for column, cell in told.items():
        if column in EXPORTED or (column in KEYS and column != "name"):
            continue
        attribute = class_.attribute(column) if class_ is not None else None
        if attribute is not None:
            attributes[column] = value_of(attribute, cell)
        elif (way := _way(column)) is not None:
            links += [Link(way[0], one.strip(), way[1]) for one in cell.split(";") if one.strip()]
        else:
            attributes[column] = cell
    return Entry(row, told.get("class", ""), _key(told), attributes, {}, tuple(links), told.get("parent", ""),
                 told.get("id", ""))  # fmt: skip


def _key(told: Mapping[str, str]) -> str:
    named = f"{told.get('class', '')}:{told.get('name', '')}"
    return told.get("key") or (f"{told['parent']}/{named}" if told.get("parent") else named)


def _way(column: str) -> tuple[str, bool] | None:
    """(type, whether the row is the relation's far end) of a column's name."""
    name = column.removeprefix("rel:")
    if name in relation_types():
        return name, False
    return next(((type_.name, True) for type_ in relation_types().values() if type_.reverse == name), None)
