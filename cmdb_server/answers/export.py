"""Any selection as CSV, JSON lines or GraphML, written as it is read: however much there is, little of it is held.

The CIs come page by page in order of their ids, each page from one consistent state. CSV and GraphML name their columns
first, so the selection is read twice: what attributes there are, then what they say.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cmdb_server.answers import graphml, inventory
from cmdb_server.answers.deleted import deleted_of, is_deleted
from cmdb_server.answers.graphml import Column
from cmdb_server.answers.seen import as_seen, graph_seen
from cmdb_server.answers.selected import Selected
from cmdb_server.answers.told import moment
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.views import CiSummary
from cmdb_server.practices.imports.cells import neutral
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store

PAGE = 1000
FORMATS = ("csv", "jsonl", "graphml")
MEDIA = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson", "graphml": graphml.MEDIA}
OWN = ("id", "class", "name", "parent", "life", "site", "first_discovered", "last_discovered")


@dataclass(frozen=True, slots=True)
class Selection:
    """What is exported, for whom, as of when. ``selected`` None: everything."""

    store: Store
    viewer: Viewer
    selected: Selected | None
    now_ms: int
    at: int | None = None
    known_at: int | None = None

    def pages(self) -> Iterator[tuple[CiSummary, ...]]:
        """The CIs in order of their ids."""
        cursor = None
        while True:
            page = inventory.list_cis(
                self.store, self.viewer, inventory.Filters(), cursor, PAGE, self.at, self.known_at,
                now_ms=self.now_ms, selected=self.selected,
            )  # fmt: skip
            yield page.items
            cursor = page.cursor
            if cursor is None:
                return

    def relations(self, ids: Iterable[str]) -> list[Row]:
        """Rows of the relations that go out from these CIs."""
        wanted = list(ids)

        def work(tx: Reading) -> list[Row]:
            if self.at is None and self.known_at is None:
                rows = tx.find(tables.RELATION, ("from_ci",), [(id_,) for id_ in wanted])
                gone = deleted_of(tx, (row[2] for row in rows)).difference(wanted)
                return [row for row in rows if row[2] not in gone]
            among = set(wanted)
            graph = graph_seen(tx, self.at, self.known_at, self.viewer)
            gone = {id_ for id_, row in graph.cis.items() if is_deleted(row)} - among
            return sorted(row for row in graph.relations if row[0] in among and row[2] not in gone)

        return as_seen(self.store, self.viewer).read(work)


def export(selection: Selection, format_: str) -> Iterator[bytes]:
    """The selection in one of ``FORMATS``, in pieces. The first piece is made before this returns, so that what is
    refused is refused before anything was sent."""
    pieces = _WRITERS[format_](selection)
    first = next(pieces, "")

    def rest() -> Iterator[bytes]:
        yield first.encode("utf-8", "replace")
        for piece in pieces:
            yield piece.encode("utf-8", "replace")

    return rest()


def _own(ci: CiSummary) -> dict[str, Any]:
    return {
        "id": ci.id, "class": ci.class_, "name": ci.name, "parent": ci.parent or None, "life": ci.stage,
        "site": ci.site, "first_discovered": moment(ci.first_discovered), "last_discovered": moment(ci.last_discovered),
    }  # fmt: skip


def _attributes(selection: Selection) -> dict[str, set[type]]:
    """Name -> the types its values have among the selected, in order of names."""
    found: dict[str, set[type]] = {}
    for page in selection.pages():
        for ci in page:
            for name, value in ci.attributes.items():
                found.setdefault(name, set()).add(type(value))
    found.pop("name", None)
    return dict(sorted(found.items()))


def _csv(selection: Selection) -> Iterator[str]:
    names = list(_attributes(selection))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([neutral(name) for name in (*OWN, *names)])
    for page in selection.pages():
        for ci in page:
            cells = (*_own(ci).values(), *(ci.attributes.get(name) for name in names))
            writer.writerow([neutral(graphml.cell(cell)) for cell in cells])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _jsonl(selection: Selection) -> Iterator[str]:
    for page in selection.pages():
        outgoing: dict[str, list[Mapping[str, Any]]] = {}
        for row in selection.relations([ci.id for ci in page]):
            told = {"type": row[1], "to": row[2], "group": row[3], "weight": row[4]}
            outgoing.setdefault(row[0], []).append(told)
        lines = [
            msgspec.json.encode(_own(ci) | {"attributes": ci.attributes, "relations": outgoing.get(ci.id, [])})
            for ci in page
        ]
        yield "".join(line.decode() + "\n" for line in lines)


_EDGE = ("type", "group", "weight")


def _graphml(selection: Selection) -> Iterator[str]:
    kinds = _attributes(selection)
    keys = {name: f"n{place}" for place, name in enumerate((*OWN[1:], *kinds))}
    columns = [Column("node", keys[name], name) for name in OWN[1:]]
    columns += [Column("node", keys[name], name, graphml.type_of(types)) for name, types in kinds.items()]
    columns += [
        Column("edge", f"e{place}", name, "long" if name == "weight" else "string") for place, name in enumerate(_EDGE)
    ]
    yield graphml.head(columns)
    ids: set[str] = set()
    for page in selection.pages():
        ids.update(ci.id for ci in page)
        yield "".join(_node(ci, keys) for ci in page)
    ordered = sorted(ids)
    for start in range(0, len(ordered), PAGE):
        rows = selection.relations(ordered[start : start + PAGE])
        yield "".join(_edge(row) for row in rows if row[2] in ids)
    yield graphml.TAIL


def _node(ci: CiSummary, keys: Mapping[str, str]) -> str:
    values = {name: value for name, value in _own(ci).items() if name != "id"}
    values |= {name: value for name, value in ci.attributes.items() if name not in values}
    return graphml.node(ci.id, {keys[name]: value for name, value in values.items() if name in keys})


def _edge(row: Row) -> str:
    return graphml.edge(row[0], row[2], {f"e{place}": value for place, value in enumerate((row[1], row[3], row[4]))})


_WRITERS: Mapping[str, Callable[[Selection], Iterator[str]]] = {"csv": _csv, "jsonl": _jsonl, "graphml": _graphml}
