"""CIs that a selector means: masks narrow the estate down, then each is held against the selector on its own.

Only the store can say when and where a CI was seen; one that is missing or retired is stale, and what it said is
unknown. So is a single value that no source has confirmed within the time that its rule of precedence gives it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cmdb_schemas.ci_class import CIClass
from cmdb_schemas.relations import relation_types
from cmdb_server.answers.history import Graph
from cmdb_server.answers.lives import Lives
from cmdb_server.model.selector import Selector
from cmdb_server.model.selector_evaluation import UNKNOWN
from cmdb_server.model.selector_tree import Related, fields, parts
from cmdb_server.model.selector_vocabulary import Vocabulary
from cmdb_server.projection.columns import Longs
from cmdb_server.projection.identities import words
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.selection import candidates
from cmdb_server.store import tables
from cmdb_server.store.partial import whole
from cmdb_server.store.port import Reading, Row

SCAN = 2000
STALE = ("missing", "retired")
_OWN = {name: tables.CI.position(column) for name, column in (
    ("id", "id"), ("class", "class"), ("name", "name"), ("parent", "parent"), ("first_discovered", "first_at"),
)}  # fmt: skip
ATTRIBUTES = tables.CI.position("attributes")


def selected(text: str, projections: Projections, kinds: Mapping[str, CIClass]) -> Selected:
    """What a selector's text means. Raises SelectorError, which names the column."""
    return Selected(Selector.of(text, Vocabulary.of(kinds, relation_types())), projections)


@dataclass(frozen=True, slots=True)
class Selected:
    """A selector and what it is looked up in."""

    selector: Selector
    projections: Projections

    def asks(self, name: str) -> bool:
        """Whether it is about what the CIs have of this name beside their attributes."""
        return any(one.own and one.name == name for one in fields(self.selector.tree))

    def batches(self, tx: Reading, cursor: str | None, now: int) -> Iterator[list[Row]] | None:
        """The rows of all that may fit, in order of their ids, after the cursor. None where a look at every CI is
        needed: because the projection has gone on to a newer revision, or knows relations that ``tx`` does not tell."""
        all_ = whole(tx)
        if all_ is not tx and any(isinstance(part, Related) for part in parts(self.selector.tree)):
            return None
        projection = self.projections.current(all_)
        mask = candidates(self.projections.attributes, projection, all_, self.selector.tree, now)
        if mask is None:
            return None
        return _rows(tx, projection, _ordered(projection, np.flatnonzero(mask), cursor))

    def holding(self, tx: Reading, rows: Sequence[Row], lives: Lives, graph: Graph | None, now: int) -> list[Row]:
        """Those of the rows that fit for certain."""
        look = _Look(tx, lives, graph)
        look.load(rows, [part for part in parts(self.selector.tree) if isinstance(part, Related)])
        return [row for row in rows if self.selector.matches(_Subject(row, look), now)]


def _ordered(projection: Projection, found: Longs, cursor: str | None) -> Longs:
    """CIs in order of their ids, those after the cursor alone."""
    high, low = projection.index.identities.high[found], projection.index.identities.low[found]
    if cursor is not None:
        try:
            (first,), (second,) = (half.tolist() for half in words([cursor]))
        except ValueError:
            first = second = 0
        after = (high > np.uint64(first)) | ((high == np.uint64(first)) & (low > np.uint64(second)))
        found, high, low = found[after], high[after], low[after]
    return found[np.lexsort((low, high))]


def _rows(tx: Reading, projection: Projection, cis: Longs) -> Iterator[list[Row]]:
    for start in range(0, len(cis), SCAN):
        ids = [projection.id(ci) for ci in cis[start : start + SCAN].tolist()]
        there = tx.get(tables.CI, [(id_,) for id_ in ids])
        yield [there[id_,] for id_ in ids if (id_,) in there]


class _Look:
    """What the selector asks of some CIs beyond their rows."""

    def __init__(self, tx: Reading, lives: Lives, graph: Graph | None) -> None:
        self.tx, self.lives, self.graph = tx, lives, graph
        self.others: dict[tuple[str, str, bool], list[Row]] = {}

    def load(self, rows: Sequence[Row], related: Iterable[Related]) -> None:
        ids = [row[0] for row in rows]
        self.lives.load(ids)
        pairs = [
            (near, one.type, one.incoming, far)
            for one in {(part.type, part.incoming): part for part in related}.values()
            for near, far in self._ends(ids, one)
        ]
        far_ids = {pair[3] for pair in pairs}
        there = self._cis(far_ids)
        self.lives.load(far_ids)
        for near, type_, incoming, far in pairs:
            if far in there:
                self.others.setdefault((near, type_, incoming), []).append(there[far])

    def _ends(self, ids: list[str], related: Related) -> Iterator[tuple[str, str]]:
        """(one of these CIs, the CI at the other end) of each relation of the type."""
        near, far = (2, 0) if related.incoming else (0, 2)
        if self.graph is not None:
            wanted = set(ids)
            found = [row for row in self.graph.relations if row[near] in wanted]
        elif related.incoming:
            found = self.tx.find(tables.RELATION, ("to_ci",), [(id_,) for id_ in ids])
        else:
            found = self.tx.find(tables.RELATION, ("from_ci", "type"), [(id_, related.type) for id_ in ids])
        return ((row[near], row[far]) for row in found if row[1] == related.type)

    def _cis(self, ids: Iterable[str]) -> dict[str, Row]:
        if self.graph is not None:
            return {id_: self.graph.cis[id_] for id_ in ids if id_ in self.graph.cis}
        return {key[0]: row for key, row in self.tx.get(tables.CI, [(id_,) for id_ in ids]).items()}


@dataclass(frozen=True, slots=True)
class _Subject:
    row: Row
    look: _Look

    @property
    def stale(self) -> bool:
        return self.look.lives.of(self.row).stage in STALE

    def own(self, name: str) -> Any:
        if name in _OWN:
            return self.row[_OWN[name]]
        life = self.look.lives.of(self.row)
        return life.stage if name == "stage" else life.site

    def attribute(self, name: str) -> Any:
        value = self.row[ATTRIBUTES].get(name)
        return UNKNOWN if value is not None and self.look.lives.unconfirmed(self.row, name, value) else value

    def related(self, type_: str, incoming: bool) -> Iterator[_Subject]:
        for row in self.look.others.get((self.row[0], type_, incoming), ()):
            yield _Subject(row, self.look)
