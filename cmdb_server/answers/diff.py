"""What differs between the graph at two times: counts first, then each difference, page by page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cmdb_server.answers.history import Graph
from cmdb_server.answers.seen import as_seen, graph_seen
from cmdb_server.answers.viewer import Viewer
from cmdb_server.store.port import Reading, Row, Store

Change = Literal["created", "returned", "changed", "merged", "ended", "removed"]
CHANGES: tuple[Change, ...] = ("created", "returned", "changed", "merged", "ended", "removed")
RELATION = "relation"


@dataclass(frozen=True, slots=True)
class Moment:
    """How things were at ``at`` as far as had been told by ``known_at``, both ms; None: now. ``revision``: as known in
    exactly that one."""

    at: int | None = None
    known_at: int | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs. ``kind``: ``ci`` or ``relation``. ``id``: the CI's, or from, type and to. ``class_``: of
    the CI, or the relation's type. ``values``: attribute -> (before, after). A ``merged`` CI is part of ``into`` now."""

    kind: str
    change: Change
    id: tuple[str, ...]
    class_: str
    name: str
    values: Mapping[str, tuple[Any, Any]]
    into: str | None = None

    @property
    def place(self) -> str:
        """Where it stands in the list."""
        return " ".join((self.kind, *self.id))


@dataclass(frozen=True, slots=True)
class DiffPage:
    """``counts``: (kind, class or type, change) -> how many there are in all; ``items``: some of them, in order of
    kind and id. ``cursor`` continues; None at the end."""

    counts: Mapping[tuple[str, str, str], int]
    items: tuple[Difference, ...]
    cursor: str | None
    revision: int


def diff(
    store: Store, viewer: Viewer, before: Moment, after: Moment, change: str | None = None, class_: str | None = None,
    cursor: str | None = None, limit: int = 100,
) -> DiffPage:  # fmt: skip
    """What differs between two moments. ``change`` and ``class_`` narrow the items, not the counts."""

    def work(tx: Reading) -> DiffPage:
        graphs = [graph_seen(tx, one.at, one.known_at, viewer, revision=one.revision) for one in (before, after)]
        found = list(differences(graphs[0], graphs[1]))
        counts = Counter[tuple[str, str, str]]((one.kind, one.class_, one.change) for one in found)
        wanted = [one for one in found if change in (None, one.change) and class_ in (None, one.class_)]
        wanted = [one for one in wanted if cursor is None or one.place > cursor]
        more = len(wanted) > limit
        return DiffPage(counts, tuple(wanted[:limit]), wanted[limit - 1].place if more else None, tx.revision)

    return as_seen(store, viewer).read(work)


def differences(before: Graph, after: Graph) -> Iterator[Difference]:
    """All that differs, in order of ``place``."""
    cis = (one for id_ in before.cis.keys() | after.cis.keys() if (one := _ci(id_, before, after)) is not None)
    yield from sorted(cis, key=lambda one: one.place)
    yield from sorted(_relations(before.relations, after.relations), key=lambda one: one.place)


def _ci(id_: str, before: Graph, after: Graph) -> Difference | None:
    old, new = before.cis.get(id_), after.cis.get(id_)
    row = new if new is not None else old
    if row is None:
        return None
    if old is None:
        return Difference("ci", "created", (id_,), row[1], row[2], _values({}, _told(row)))
    if new is None:
        home = after.records.get(id_)
        into = home.ci if home is not None and home.ci != id_ else None
        return Difference("ci", "merged" if into else "removed", (id_,), row[1], row[2], {}, into)
    values = _values(_told(old), _told(new))
    if (old[7] is None) != (new[7] is None):
        return Difference("ci", "ended" if old[7] is None else "returned", (id_,), row[1], row[2], values)
    return Difference("ci", "changed", (id_,), row[1], row[2], values) if values else None


def _told(row: Row) -> dict[str, Any]:
    """What is said of a CI, its class and what it is a component of included."""
    return {**row[5], "@class": row[1], "@parent": row[3] or None}


def _values(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }


def _relations(before: Iterable[Row], after: Iterable[Row]) -> Iterator[Difference]:
    old, new = ({(row[0], row[1], row[2]): row for row in rows} for rows in (before, after))
    for relation in old.keys() | new.keys():
        if relation not in old or relation not in new:
            yield Difference(RELATION, "removed" if relation in old else "created", relation, relation[1], "", {})
        elif values := _values(_carried(old[relation]), _carried(new[relation])):
            yield Difference(RELATION, "changed", relation, relation[1], "", values)


def _carried(row: Row) -> dict[str, Any]:
    return {"group": row[3], "weight": row[4]}
